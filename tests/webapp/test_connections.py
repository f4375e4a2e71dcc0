import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.webapp.upstreams import raw_answer
from webapp import connections
from webapp.errors import Problem
from webapp.forwarding import Outgoing
from webapp.proxy import MAX_ANSWER_BYTES, Proxy
from webapp.settings import Upstream

TIMEOUT = 0.4
BUSY = 0.2  # seconds that a busy machine may take for all the rest


def certificate(folder: Path, *names: x509.GeneralName) -> Path:
    """A key and a certificate of its own authority for these names, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "upstream")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    file = folder / "upstream.pem"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password)
    file.write_bytes(private + signed.public_bytes(pem))
    return file


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Each connection is served in a thread of its own; errors end it."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def one(connection: socket.socket) -> None:
            with connection:
                try:
                    serve(connection)
                    stop.wait(5)
                except OSError:
                    return

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)


def over_tls(file: Path, serve: Callable[[ssl.SSLSocket], None]) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def wrapped(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            serve(secure)

    return wrapped


def answer(connection: socket.socket) -> None:
    while connection.recv(65_536):
        connection.sendall(raw_answer())


def ask(url: str, timeout: float = 2, body: bytes = b"") -> int:
    service = Upstream(url=url, connect_timeout=1)
    headers = {"content-length": str(len(body))} if body else {}
    sent = Outgoing("POST" if body else "GET", url + "/", headers, body)
    return Proxy(service).exchange(sent, timeout).status


def refusal(url: str, timeout: float = 2, body: bytes = b"") -> str:
    started = time.monotonic()
    with pytest.raises(Problem) as raised:
        ask(url, timeout, body)
    assert time.monotonic() - started < timeout * 1.1 + BUSY
    return raised.value.code


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    def trust(file: Path) -> None:
        monkeypatch.setattr(connections.certifi, "where", lambda: str(file))
        connections._trust.cache_clear()

    yield trust
    connections._trust.cache_clear()


LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


def test_a_certificate_of_a_known_authority_is_good(
    tmp_path: Path, trusting: Callable[[Path], None]
) -> None:
    file = certificate(tmp_path, LOOPBACK)
    trusting(file)
    with listening(over_tls(file, answer)) as port:
        assert ask(f"https://127.0.0.1:{port}") == 200


def test_a_certificate_of_nobody_known_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path, LOOPBACK)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(file))
    with listening(over_tls(file, answer)) as port:
        assert refusal(f"https://127.0.0.1:{port}") == "upstream_unreachable"


def test_a_certificate_of_another_name_is_refused(
    tmp_path: Path, trusting: Callable[[Path], None]
) -> None:
    file = certificate(tmp_path, x509.DNSName("other.example"))
    trusting(file)
    with listening(over_tls(file, answer)) as port:
        assert refusal(f"https://127.0.0.1:{port}") == "upstream_unreachable"


def test_plain_http_is_no_tls() -> None:
    with listening(answer) as port:
        assert refusal(f"https://127.0.0.1:{port}") == "upstream_unreachable"


def drip(connection: socket.socket) -> None:
    """A TLS record that begins, a byte at a time."""
    pause = threading.Event()
    for byte in b"\x16\x03\x03\x40\x00" + bytes(200):
        connection.sendall(bytes([byte]))
        pause.wait(0.03)


def test_a_dripping_handshake_ends_at_the_deadline() -> None:
    with listening(drip) as port:
        assert refusal(f"https://127.0.0.1:{port}", TIMEOUT) == "upstream_timeout"


def test_a_body_read_slowly_over_tls_ends_at_the_deadline(
    tmp_path: Path, trusting: Callable[[Path], None]
) -> None:
    def sip(connection: ssl.SSLSocket) -> None:
        pause = threading.Event()
        while connection.recv(16_384):
            pause.wait(0.03)

    file = certificate(tmp_path, LOOPBACK)
    trusting(file)
    body = b"x" * MAX_ANSWER_BYTES * 3
    with listening(over_tls(file, sip)) as port:
        assert refusal(f"https://127.0.0.1:{port}", TIMEOUT, body) == "upstream_timeout"


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """An address that never answers who wants to connect: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as crowd:
        for _ in range(3):
            one = crowd.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        yield full.getsockname()


def resolve(monkeypatch: pytest.MonkeyPatch, *places: tuple[str, int]) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: found)


def test_addresses_share_the_time_for_connecting(
    silent: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, *[silent] * 4)
    assert refusal("http://dead.example", TIMEOUT) == "upstream_timeout"


def test_a_silent_address_leaves_time_for_the_next(
    silent: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(answer) as port:
        resolve(monkeypatch, silent, ("127.0.0.1", port))
        assert ask("http://alive.example", TIMEOUT) == 200


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        dead = gone.getsockname()
    with listening(answer) as port:
        resolve(monkeypatch, dead, ("127.0.0.1", port))
        assert ask("http://alive.example") == 200


def test_a_name_without_address_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert refusal("http://nowhere.example") == "upstream_unreachable"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_no_proxy_of_the_environment_is_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(answer) as port, socket.create_server(("127.0.0.1", 0)) as spy:
        monkeypatch.setenv(name, f"http://127.0.0.1:{spy.getsockname()[1]}")
        spy.settimeout(0)
        assert refusal(f"https://127.0.0.1:{port}") == "upstream_unreachable"
        with pytest.raises(BlockingIOError):
            spy.accept()


def test_no_netrc_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(65_536))
        connection.sendall(raw_answer())

    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password canary")
    monkeypatch.setenv("NETRC", str(netrc))
    with listening(listen) as port:
        assert ask(f"http://127.0.0.1:{port}") == 200
    assert b"uthorization" not in heard[0]
