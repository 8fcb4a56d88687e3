"""What is kept on disk: git repositories, large files, discussions; how it is checked and cleaned up."""
