"""`python -m hubpub`."""

from hubpub.cli.main import main

if __name__ == "__main__":
    main()
