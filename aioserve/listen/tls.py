"""How certificate and key become a context, and what of TLS it speaks.

This file alone decides what a client can agree on, and what is said when files cannot be used. Which of
several certificates a client is shown, and when they are read again, is the business of `certificates`.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aioserve.errors import ConfigurationError, StartupError, TlsError, first_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aioserve.settings import Tls

_REASONS = {  # what OpenSSL says, in words; of an RSA key for another kind of certificate it says the second
    "KEY_VALUES_MISMATCH": "the key is not that of the certificate",
    "NO_CERTIFICATE_ASSIGNED": "the key is not that of the certificate",
    "KEY_TYPE_MISMATCH": "the key is not that of the certificate",
    "EE_KEY_TOO_SMALL": "the key is too short to be safe",
}


class Pair(NamedTuple):
    """The files of a certificate and its key; None where one file has both."""

    certfile: str
    keyfile: str | None = None

    def __str__(self) -> str:
        return f"{self.certfile!r} and {self.keyfile!r}" if self.keyfile else repr(self.certfile)


def pairs_of(tls: Tls) -> tuple[Pair, ...]:
    """Say which key belongs to which certificate; there are none where TLS is not asked for by files.

    Raises:
        ConfigurationError: the options contradict each other, or one belongs to a certificate that is not
            there. Going on without TLS would open what a list of client certificates was to close.
    """
    if tls.self_signed and tls.certfiles:
        raise ConfigurationError("--ssl-self-signed makes a certificate; --ssl-certfile has one already")
    if not tls.certfiles:
        given = {
            "--ssl-keyfile": bool(tls.keyfiles),
            "--ssl-keyfile-password-file": tls.password_file is not None,
            "--ssl-client-ca": tls.client_ca is not None and not tls.self_signed,
            "--ssl-ciphers": tls.ciphers != type(tls).ciphers and not tls.self_signed,
        }
        reason = "there is no --ssl-certfile that it belongs to"
        if flags := [flag for flag, is_given in given.items() if is_given]:
            raise first_of([ConfigurationError(f"{flag}: {reason}") for flag in flags])
    elif tls.keyfiles and len(tls.keyfiles) != len(tls.certfiles):
        raise ConfigurationError(
            f"--ssl-keyfile: there must be one for each --ssl-certfile, or none; "
            f"there are {len(tls.keyfiles)} for {len(tls.certfiles)}"
        )
    keyfiles = tls.keyfiles or (None,) * len(tls.certfiles)
    return tuple(map(Pair, tls.certfiles, keyfiles))


def make_context(tls: Tls, pair: Pair | None = None) -> ssl.SSLContext:
    """Make a context that speaks as the settings say, with a certificate or with none yet.

    TLS 1.2 is the least that is spoken (RFC 8996), and HTTP/1.1 what is offered by ALPN (RFC 7301).

    Raises:
        ConfigurationError: OpenSSL knows nothing of the list of ciphers.
        TlsError: a file cannot be read, is none, or the two do not belong together. Either has the others.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # a client's way to make the server calculate
    context.set_alpn_protocols(["http/1.1"])
    problems: list[ConfigurationError | StartupError] = []
    try:
        context.set_ciphers(tls.ciphers)
    except (ssl.SSLError, ValueError):  # ValueError: a NUL, where no text was read
        text = f"--ssl-ciphers: OpenSSL has no cipher for TLS 1.2 that is meant by {tls.ciphers!r}"
        problems.append(ConfigurationError(text))
    try:
        if tls.client_ca is not None:
            _require_clients(context, tls.client_ca)
    except TlsError as problem:
        problems.append(problem)
    try:
        if pair is not None:
            _load_pair(context, pair, tls.password_file)
    except TlsError as problem:
        problems += [problem, *problem.others]
    if problems:
        raise first_of(problems)
    return context


def _require_clients(context: ssl.SSLContext, client_ca: str) -> None:
    """Let no client in that has no certificate of an authority (RFC 8446 §4.3.2, RFC 5246 §7.4.4)."""
    context.verify_mode = ssl.CERT_REQUIRED
    # A session that is taken up again is not verified again, whatever became of the authority meanwhile.
    # Without tickets TLS 1.3 takes up none. TLS 1.2 has them by number too, which Python cannot turn off:
    # `certificates` refuses those that are older than what was read last.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    try:
        Path(client_ca).open("rb").close()
        context.load_verify_locations(client_ca)
    except ssl.SSLError:
        raise TlsError(f"{client_ca!r}: there is no certificate in PEM in it") from None
    except OSError as error:
        raise TlsError(f"{error.filename!r}: {error.strerror}") from None
    except ValueError as error:
        raise TlsError(f"{client_ca!r}: {error}") from None


def _load_pair(context: ssl.SSLContext, pair: Pair, password_file: str | None) -> None:
    password = _Password(password_file)
    _read_all(filter(None, (*pair, password_file)))
    try:
        context.load_cert_chain(*pair, password=password)
    except ssl.SSLError as error:
        if password.is_used and error.reason not in _REASONS:  # what it says differs between versions
            raise TlsError(f"{pair}: the password in {password_file!r} is not that of the key") from None
        raise TlsError(f"{pair}: {_explain(error.reason, pair)}") from None
    except (OSError, ValueError) as error:  # OSError: gone in between
        raise TlsError(f"{pair}: {getattr(error, 'strerror', error)}") from None


def _read_all(names: Iterable[str]) -> None:
    """Look whether files can be read: OpenSSL does not say which of them it cannot read."""
    problems = []
    for name in names:
        try:
            Path(name).open("rb").close()
        except OSError as error:
            problems.append(TlsError(f"{name!r}: {error.strerror}"))
        except ValueError as error:  # a NUL
            problems.append(TlsError(f"{name!r}: {error}"))
    if problems:
        raise first_of(problems)


class _Password:
    """Answers OpenSSL, which would ask the terminal otherwise, and only where a key is encrypted.

    Attributes:
        is_used: it was asked for.
    """

    def __init__(self, file: str | None) -> None:
        self._file = file
        self.is_used = False

    def __call__(self) -> bytes:
        if self._file is None:
            raise ValueError("the key is encrypted, and no password is known (--ssl-keyfile-password-file)")
        self.is_used = True
        with Path(self._file).open("rb") as file:
            return file.readline(4_096).rstrip(b"\r\n")  # OpenSSL takes 1,024 bytes; Python says so


def _explain(reason: str | None, pair: Pair) -> str:
    """Say why OpenSSL refuses the files; where they hold something else, it has no reason to tell."""
    if reason:
        return _REASONS.get(reason, reason.replace("_", " ").lower())
    if pair.keyfile:
        return "the one holds no certificate in PEM, or the other no private key"
    return "not both a certificate and its private key are in it, in PEM; --ssl-keyfile names another file"
