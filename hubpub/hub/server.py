"""Starting and stopping a hub."""

from __future__ import annotations

import contextlib
import gc
import ipaddress
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import uvicorn

from hubpub.core.errors import HubError, UsageError
from hubpub.hub.access.accounts import Accounts, Org, User
from hubpub.hub.access.accounts_file import AccountsFile
from hubpub.hub.access.accounts_watch import AccountsWatch
from hubpub.hub.access.fine_grained import Grants
from hubpub.hub.access.tokens import Token, TokenRole, new_token_text
from hubpub.hub.app import LOOPBACK_NAMES, build_app
from hubpub.hub.config import HubConfig, Limits
from hubpub.hub.state import HubState
from hubpub.hub.web.faults import Fault, Faults, parse_fault
from hubpub.hub.web.http_protocol import HubProtocol

_KEEP_ALIVE_SECONDS = 120
_SHUTDOWN_SECONDS = 5
_START_SECONDS = 30
_WAIT_SECONDS = 0.25
_LOOK_SECONDS = 1.0
_BACKLOG = 1024
_EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that accepts connections.

    Attributes:
        endpoint: its address, for HF_ENDPOINT.
        root: its data folder.
        accounts: who may use it.
    """

    endpoint: str
    root: Path
    accounts: Accounts = field(repr=False)
    _faults: Faults = field(repr=False)

    def faults(self, *rules: Fault | str) -> Faults:
        """Make chosen requests go wrong from now on, as the rules say (see `hubpub.hub.web.faults`); without any, none.

        What is returned counts the requests that each rule spoke of and hit.

        Raises:
            UsageError: a rule has another form.
        """
        self._faults.set(_faults(rules))
        return self._faults

    def token(
        self,
        user: str,
        role: TokenRole | str = TokenRole.WRITE,
        *,
        grants: Grants | None = None,
        expires_in: float | None = None,
    ) -> str:
        """A new token of `user`, who need not exist yet.

        With `grants` it is fine-grained. It is valid for `expires_in` seconds, or until it is revoked or the hub stops.
        """
        text = new_token_text()
        expires = None if expires_in is None else time.time() + expires_in
        self.accounts.add_token(Token.of(text, user, role, grants=grants, expires=expires))
        return text

    def revoke(self, token: str) -> None:
        """Refuse a token from now on.

        Raises:
            KeyError: nobody has it.
        """
        self.accounts.revoke(token)


@contextlib.contextmanager
def running(
    root: Path | None = None,
    *,
    tokens: Iterable[Token] = (),
    orgs: Iterable[Org] = (),
    users: Iterable[User] = (),
    accounts: AccountsFile | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    public_url: str | None = None,
    limits: Limits | None = None,
    faults: Iterable[Fault | str] = (),
    admin_token: str | None = None,
) -> Iterator[Hub]:
    """A hub that runs in the background of this process until the end of the `with` block.

    Without `root` its data is temporary. `accounts` is what an accounts file declares. Accounts are not part of the
    data: a root can be served again with others.

    Raises:
        UsageError: the root cannot hold a hub's data, the address is not free, or the accounts contradict
            each other.
    """
    with contextlib.ExitStack() as stack:
        if root is None:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubpub-hub-")))
        config = HubConfig(root, host, port, public_url, limits or Limits(), _faults(faults), admin_token)
        everyone = (accounts or AccountsFile()).accounts(tokens, orgs, users)
        state = HubState.open(config, everyone)
        stack.callback(state.close)
        listener = stack.enter_context(_listen(config))
        stack.enter_context(_served(state, listener))
        yield Hub(_endpoint(config, listener), state.root.path, state.accounts, state.faults)


def serve(
    config: HubConfig, accounts: Accounts, ready: Callable[[Hub], None], watch: AccountsWatch | None = None
) -> None:
    """Run a hub until SIGINT or SIGTERM; `ready` is called once it accepts connections.

    With `watch`, the accounts follow their file; SIGHUP has it read at once.

    Raises:
        UsageError: as `running`.
    """
    stop, hangup = threading.Event(), threading.Event()
    events = {signal.SIGINT: stop, signal.SIGTERM: stop}
    if watch is not None and hasattr(signal, "SIGHUP"):
        events[signal.SIGHUP] = hangup

    def on_signal(number: int, _frame: FrameType | None) -> None:
        events[signal.Signals(number)].set()

    before = {number: signal.signal(number, on_signal) for number in events}
    try:
        state = HubState.open(config, accounts)
        with contextlib.closing(state), _listen(config) as listener, _served(state, listener):
            # What is there by now stays. Looking through all of it for garbage would hold up every request at once.
            gc.collect()
            gc.freeze()
            ready(Hub(_endpoint(config, listener), state.root.path, accounts, state.faults))
            looked = time.monotonic()
            # In short waits, because some platforms deliver signals only between them.
            while not stop.wait(_WAIT_SECONDS):
                if watch is not None and hangup.is_set():
                    hangup.clear()
                    watch.read(accounts)
                elif watch is not None and time.monotonic() - looked >= _LOOK_SECONDS:
                    looked = time.monotonic()
                    watch.look(accounts)
    finally:
        gc.unfreeze()
        for number, handler in before.items():
            signal.signal(number, handler)


def _faults(rules: Iterable[Fault | str]) -> tuple[Fault, ...]:
    return tuple(parse_fault(rule) if isinstance(rule, str) else rule for rule in rules)


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to a hub on `host`."""
    try:
        return host in LOOPBACK_NAMES or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def _served(state: HubState, listener: socket.socket) -> Iterator[None]:
    """Serve in a thread for as long as the block runs."""
    config = uvicorn.Config(
        build_app(state),
        http=HubProtocol,
        loop="auto",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="hubpub-hub", daemon=True)
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    waited = 0.0
    while not server.started:
        thread.join(0.01)
        waited += 0.01
        if not thread.is_alive() or waited > _START_SECONDS:
            raise HubError("the embedded hub did not start", "see the log lines above, and run again")


@contextlib.contextmanager
def _listen(config: HubConfig) -> Iterator[socket.socket]:
    _check_url(config)
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only then: 40 ms for every answer.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((config.host, config.port))
            listener.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"cannot listen on {config.host} port {config.port}: {reason}",
                "choose another port with --port, or 0 for any free one",
            ) from error
        yield listener


def _endpoint(config: HubConfig, listener: socket.socket) -> str:
    if config.public_url is not None:
        return config.public_url.rstrip("/")
    name = f"[{config.host}]" if ":" in config.host else config.host
    return f"http://{name}:{listener.getsockname()[1]}"


def _check_url(config: HubConfig) -> None:
    """Check that clients can use the address that the hub is going to name.

    Raises:
        UsageError: it is no http(s) address, or is missing although the host is every address of the machine.
    """
    if config.public_url is None:
        if config.host in _EVERY_ADDRESS:
            raise UsageError(f"{config.host!r} is not an address to connect to", "say what clients use with --url")
        return
    parts = urlsplit(config.public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise UsageError(f"{config.public_url} is not the address of a hub", "write http://HOST:PORT")
