"""Where h11 reads a row's bytes in another way than our parser, which of the two is right, and why.

There is no verdict for ours being wrong: that is mended, not written down.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Verdict(Enum):
    """Which of two readings is right."""

    OURS = "h11 breaks a MUST"
    BOTH = "the RFC leaves a choice"
    LAYER = "h11 leaves it to the application, by design"


class Difference(NamedTuple):
    """One cause, which several rows may show.

    Attributes:
        verdict: which reading is right.
        reason: why, by a clause.
        ours_refuses: it is ours that refuses, as nearly everywhere.
    """

    verdict: Verdict
    reason: str
    ours_refuses: bool = True


OURS, BOTH, LAYER = Verdict.OURS, Verdict.BOTH, Verdict.LAYER

CAUSES: dict[Difference, list[str]] = {
    # What h11 must not do
    Difference(
        OURS, "9112 3.2 asks for 400 where the value of Host is invalid; h11 counts Hosts and looks into none"
    ): [
        f"9112 3.2: Host {host!r}"
        for host in [
            *("a b", "a/b", "u@a", "[::1", "a:x", "a:-1", "a\tb", "[::1]a", "[g::1]", "a@", "<a>", '"a"'),
            *("a:80:80", "a?b", "a#b", "a\\b", "\xe4"),
        ]
    ],
    Difference(
        OURS, "9112 5.2 lets h11 unfold it, but Host is 'a : a' then, which 9112 3.2 asks to be refused"
    ): ["9112 5.1: nothing but blanks before the colon"],
    Difference(
        OURS, "9112 6.1 asks for a transfer coding from HTTP/1.0 to be faulty framing; h11 reads the chunks"
    ): [
        "9112 6.1: HTTP/1.0 has no transfer codings",
        "9112 6.1: HTTP/1.0 has none with a length either",
    ],
    Difference(
        OURS, "9112 6.1 lets a server go by the coding, but it must close the connection then; h11 keeps it"
    ): [
        "9112 6.3: with a length, which a smuggler needs both of",
        "9112 6.3: with a length behind it",
    ],
    Difference(
        OURS,
        "9112 7.1.1 allows blanks before ';', and 9110 5.6.3 asks for them to be removed; h11 refuses",
        ours_refuses=False,
    ): ["9112 7.1.1: extensions are ignored"],
    Difference(
        OURS, "9112 2.2 asks for what holds a bare CR to be invalid; h11 drops the extension without a look"
    ): ["9112 7.1: the size '5;a\\rb'"],
    # What either may do
    Difference(
        BOTH,
        "9112 2.2 says that one empty line SHOULD be ignored, no more than that; h11 ignores none",
        ours_refuses=False,
    ): [
        "9112 2.2: one empty line before a request is ignored",
    ],
    Difference(BOTH, "9112 2.2 lets a bare LF end a line; ours takes none, so nobody smuggles past it"): [
        "9112 2.2: a bare LF may end a line; others have been smuggled past by it",
        "9112 2.2: a bare LF ends no field",
        "9112 7.1.2: a bare LF behind a trailer",
        "9112 7.1: a bare LF at the end",
    ],
    Difference(BOTH, "9112 5.2 lets a server refuse a folded field or put spaces there, as h11 does"): [
        "9112 5.2: a folded field",
        "9112 5.2: a folded field, by a tab",
        "9112 5.2: a fold of nothing",
        "9112 6.1: folded",
        "9112 7.1.2: a folded trailer",
    ],
    Difference(BOTH, "9110 5.5 lets a recipient keep control bytes except CR, LF and NUL; ours keeps none"): [
        "9110 5.5: a control byte in a value has no meaning, and terminals",
        "9110 5.5: DEL in a value",
    ],
    Difference(BOTH, "9112 3.3 lets a server refuse an empty Host or put a name of its own there"): [
        "9110 4.2.1: an empty Host; http URIs have one",
    ],
    Difference(
        BOTH,
        "3986 3.2.2 lets a name hold a comma; ours takes none, as two Hosts that were merged look like it",
    ): ["3986 3.2.2: a comma in Host; it may be a name, and is two fields that somebody joined"],
    Difference(BOTH, "3986 3.2.3 lets a port have any digits; ours takes none that TCP does not have"): [
        "9293 3.1: a port in Host that there is not"
    ],
    Difference(BOTH, "9110 8.6 lets equal lengths be merged or refused; ours refuses what is said twice"): [
        "9110 8.6: two equal ones may be merged; nobody needs to send them",
        "9110 8.6: two equal ones in a list",
    ],
    Difference(
        BOTH,
        "9112 9.3 lets a server keep a connection of HTTP/1.0 that asks for it; h11 keeps none",
        ours_refuses=False,
    ): [
        "9112 9.3: HTTP/1.0 is kept when it asks",
        "9112 3.2: HTTP/1.0 needs no Host",
    ],
    Difference(
        BOTH,
        "9112 2.2 says no time for refusing; h11 waits for a whole head, ours refuses the first wrong byte",
    ): [
        "9112 2.2: bytes that are nothing",
        "9112 2.2: NUL behind the head's last line",
        "9112 C: HTTP/0.9 is not served",
    ],
    Difference(BOTH, "9110 5.4 leaves it to the server how large a line or section may be that came whole"): [
        "9110 15.5.15: a longer one is 414",
        "6585 5: a long field",
        "6585 5: many fields",
        "6585 5: a large section",
        "6585 5: a large trailer section",
        "6585 5: too many trailers",
    ],
    Difference(
        BOTH, "9112 7.1.1 says that extensions ought to have a limit in all; h11 has one for each line"
    ): [
        "9112 7.1.1: too many of them",
    ],
    Difference(
        BOTH, "9112 7.1 asks for no overflow and not for chunks of 2**64 bytes; h11 takes 20 digits"
    ): [
        "9112 7.1: seventeen digits",
    ],
    Difference(
        BOTH,
        "9110 2.4 lets a recipient repair, and h11 drops blanks and extensions behind a size without a look; "
        "ours refuses, as 9112 2.2 says it SHOULD",
    ): [
        f"9112 7.1: the size {size!r}"
        for size in ["5 ", "5\t", "5;", "5;=b", "5;a\x01", "5;\0", "5;a=", '5;a="']
    ],
    Difference(
        BOTH, "9110 10.1.1 says that another expectation MAY be refused; h11 sees 100-continue alone"
    ): [
        "9110 10.1.1: another expectation",
        "9110 10.1.1: an unknown one beside it",
    ],
    Difference(BOTH, "9110 2.4 lets a recipient pass over what is no option; h11 looks for close alone"): [
        "9110 7.6.1: no list of tokens",
    ],
    # What h11 hands on
    Difference(LAYER, "h11 hands over any token; which methods are known (9110 9.1) is not its to say"): [
        "9110 9.1: an unknown method",
        "9110 9.1: methods have a case",
        "9110 9.1: a method with a long name",
        "9112 3: a method longer than any",
        "9110 9.3.6: a tunnel is never promised",
        "9110 9.3.8: what TRACE sends back may be secret",
    ],
    Difference(
        LAYER, "h11 hands over any version of two digits; which are served (9110 15.6.6) is not its to say"
    ): [
        "9110 15.6.6: HTTP/2.0",
        "9110 15.6.6: HTTP/0.9 by name",
        "9110 15.6.6: HTTP/9.9",
        "9113 3.4: the preface of HTTP/2",
    ],
    Difference(
        LAYER, "h11 hands over any visible bytes as target; its four forms (9112 3.2) are not its to judge"
    ): [
        "9112 3.2: a fragment is never sent",
        "9112 3.2: a query alone",
        "9112 3.2: a backslash",
        "9112 3.2: a relative target",
        "9112 3.2.4: * for another method",
        "9112 3.2.3: an authority without CONNECT",
        "9110 4.2.4: user information",
        "9110 4.2.1: no host",
        "9110 4.2.1: no number as port",
        "9110 4.2.1: a port that there is not",
        "9110 4.2: another scheme",
        "9110 4.2: one slash",
        "9110 9.3.6: CONNECT with no port that there is",
        "9110 9.3.6: CONNECT with a path",
        "9110 9.3.6: CONNECT without a port",
        "9110 9.3.6: CONNECT with an empty port",
    ],
    Difference(LAYER, "h11 does not know whether its connection is secured, which 9110 7.4 asks for https"): [
        "9110 7.4: https on a plain connection",
    ],
    Difference(
        LAYER, "h11 hands over every line of a field; which have one value (9110 5.3) is not its to say"
    ): [
        f"9110 5.3: {name} twice; of two values each reader picks another"
        for name in ["Content-Type", "Authorization", "Range", "If-Range", "If-Modified-Since", "Referer"]
    ],
    Difference(
        LAYER, "h11 hands a body over in parts; how large one may be (9110 15.5.14) is not its to say"
    ): [
        "9110 8.6: 2**63",
        "9110 8.6: 2**64 + 1",
        "9110 15.5.14: over the limit",
        "9110 9.3.2: a HEAD with too much of a body",
        "9110 15.5.14: a chunk over the limit",
        "9110 15.5.14: chunks over the limit together",
        "9110 10.1.1: refused before the body was sent",
    ],
}

DIFFERENCES = {name: cause for cause, names in CAUSES.items() for name in names}
