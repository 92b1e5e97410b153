"""The files of deploy/ as they are: proxies started with them, and what can be tried without a container."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import tomllib
from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection

import pytest
import yaml

from tests.listen.pem import CERTIFICATE, KEY
from tests.system.program import APPS, PATIENCE, ROOT, environment
from tests.system.proxying import (
    CADDY,
    CLIENT,
    HAPROXY,
    NGINX,
    NGINX_FILES,
    NGINX_HEAD,
    free_port,
    needs_caddy,
    needs_haproxy,
    needs_nginx,
    wait_for,
)

DEPLOY = ROOT / "deploy"
SITE = "site.example"
BODY = os.urandom(4 << 20)
FOUR = {"nginx": "nginx/aioserve.conf", "haproxy": "haproxy/haproxy.cfg", "caddy": "caddy/Caddyfile"}


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def replaced(text, *pairs):
    """Replace what must be in a text."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def command_in(path):
    """Return the words of the command line in the comment at the head of a file."""
    return shlex.split(re.search(r"^# +aioserve (app:Handler .*)$", path.read_text("utf-8"), re.MULTILINE)[1])


# Proxies


@pytest.fixture
def behind(start, loop, tmp_path):
    """Start aioserve by the command line of a file, and a proxy by the file; return its ports."""

    def behind(name, *, unix=False):
        words = command_in(DEPLOY / FOUR[name])
        ours, ports = free_port(), (free_port(), free_port())
        where = f"unix:{tmp_path}/web.sock" if unix else f"127.0.0.1:{ours}"
        at = words.index("--port")
        words[at : at + 2] = ["--bind", where]
        words[words.index("app:Handler")] = f"{APPS / 'deployed.py'}:Handler"
        loop_word = "--uvloop" if loop == "uvloop" else "--no-uvloop"
        server = start(sys.executable, "-m", "aioserve", *words, loop_word)
        server.stderr.wait_for("listening on ")
        text = (DEPLOY / FOUR[name]).read_text("utf-8").replace("127.0.0.1:8080", where)
        wait_for(ports[1], PROXIES[name](start, tmp_path, text, ports))
        return ports

    (tmp_path / "site.pem").write_text(CERTIFICATE)
    (tmp_path / "site.key").write_text(KEY)
    (tmp_path / "both.pem").write_text(CERTIFICATE + KEY)
    return behind


def start_nginx(start, folder, text, ports):
    for old, new in zip(("80", "443"), ports, strict=True):
        text = replaced(
            text, (f"listen {old}", f"listen {new}"), (f"listen [::]:{old}", f"listen [::]:{new}")
        )
    if not has_ipv6():
        text = re.sub(r".*listen \[::\].*\n", "", text)
    certificate = ("/etc/ssl/site.example.pem", f"{folder}/site.pem")
    text = replaced(text, certificate, ("/etc/ssl/private/site.example.key", f"{folder}/site.key"))
    (folder / "aioserve.conf").write_text(text)
    main = f"{NGINX_HEAD}http {{\n{NGINX_FILES}include aioserve.conf;\n}}\n"
    (folder / "nginx.conf").write_text(main)
    return start(NGINX, "-p", folder, "-c", folder / "nginx.conf")


def start_haproxy(start, folder, text, ports):
    text = replaced(
        text,
        ("bind :80\n", f"bind 127.0.0.1:{ports[0]}\n"),
        ("bind :443 ", f"bind 127.0.0.1:{ports[1]} "),
        ("/etc/haproxy/site.example.pem", f"{folder}/both.pem"),
    )
    (folder / "haproxy.cfg").write_text(text)
    return start(HAPROXY, "-db", "-f", folder / "haproxy.cfg")


def start_caddy(start, folder, text, ports):
    options = f"admin off\nhttp_port {ports[0]}\nhttps_port {ports[1]}\nlocal_certs\nskip_install_trust\n"
    (folder / "site").write_text(text)
    (folder / "Caddyfile").write_text(f"{{\n{options}}}\nimport {folder}/site\n")
    homes = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
    words = ("run", "--adapter", "caddyfile", "--config", folder / "Caddyfile")
    program = start(CADDY, *words, env=environment(**homes))
    program.stderr.wait_for("certificate obtained successfully")  # it listens before
    return program


PROXIES = {"nginx": start_nginx, "haproxy": start_haproxy, "caddy": start_caddy}
EACH = [
    pytest.param(("nginx", False), marks=needs_nginx, id="nginx"),
    pytest.param(("nginx", True), marks=needs_nginx, id="nginx-unix"),
    pytest.param(("haproxy", False), marks=needs_haproxy, id="haproxy"),
    pytest.param(("caddy", False), marks=needs_caddy, id="caddy"),
]


class SiteConnection(HTTPSConnection):
    """A client of the site, which is on this machine and has a certificate of nobody's."""

    def __init__(self, port):
        super().__init__(SITE, timeout=PATIENCE)
        self._port = port
        self._trusting = ssl._create_unverified_context()  # noqa: S323 - a certificate of nobody's

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self._port), PATIENCE, (CLIENT, 0))
        self.sock = self._trusting.wrap_socket(sock, server_hostname=SITE)


@pytest.fixture(params=EACH)
def site(request, behind):
    """Each proxy in front; the ports for both schemes."""
    name, is_unix = request.param
    return behind(name, unix=is_unix)


def asked(client, path, body=None, method=None, **fields):
    client.request(method or ("POST" if body else "GET"), path, body, fields)
    answer = client.getresponse()
    assert answer.status == 200
    return answer.read()


def test_client_scheme_and_host_arrive_and_what_clients_say_of_them_does_not(site):
    lies = {
        "X-Forwarded-For": "198.51.100.1",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "lie.example",
        "X-Forwarded-Port": "1",
    }
    with closing(SiteConnection(site[1])) as client:
        seen = json.loads(asked(client, "/a?b", **lies))

    assert seen["peer"] == [CLIENT, 0]
    assert re.fullmatch(rf"https://{SITE}(:{site[1]})?/a\?b", seen["url"])


def test_bodies_go_both_ways(site):
    with closing(SiteConnection(site[1])) as client:
        assert asked(client, "/echo", b"hello") == b"hello"
        assert asked(client, "/echo", BODY) == BODY
        # In chunks, of a length that nobody knows before.
        assert asked(client, "/echo", iter([BODY[:100_000], BODY[100_000:]])) == BODY


def test_connection_to_aioserve_is_used_again_by_the_next_client(site):
    seen = []
    for _ in range(3):
        with closing(SiteConnection(site[1])) as client:
            seen += [json.loads(asked(client, "/"))["connection"] for _ in range(2)]

    assert len(set(seen)) == 1


def test_answer_is_passed_on_as_it_comes(site):
    with closing(SiteConnection(site[1])) as reader, closing(SiteConnection(site[1])) as other:
        reader.request("GET", "/streamed")
        answer = reader.getresponse()
        assert answer.read(4) == b"one "  # the rest is not written before the next line
        asked(other, "/go-on")
        assert answer.read() == b"two"


def test_body_is_passed_on_as_it_comes(site):
    with closing(SiteConnection(site[1])) as sender, closing(SiteConnection(site[1])) as other:
        sender.putrequest("POST", "/received")
        sender.putheader("Content-Length", "8")
        sender.endheaders(b"one ")
        asked(other, "/go-on?wait=1")  # is answered once that has been received
        sender.send(b"more")
        assert sender.getresponse().read() == b"one more"


def test_plain_http_is_sent_to_https(site):
    with closing(HTTPConnection("127.0.0.1", site[0], PATIENCE)) as client:
        client.request("GET", "/a", headers={"Host": SITE})
        answer = client.getresponse()

    assert answer.status in (301, 308)
    assert re.fullmatch(rf"https://{SITE}(:{site[1]})?/a", answer.headers["Location"])


@pytest.mark.parametrize("name", FOUR)
def test_idle_connections_end_at_the_proxy_first(name):
    text = (DEPLOY / FOUR[name]).read_text("utf-8")

    said = r"^\s*(keepalive_timeout 60s;|server .* pool-purge-delay 60s|keepalive 60s)$"
    assert re.search(said, text, re.MULTILINE)


# systemd


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed: it does not judge")
def test_units_are_right_for_systemd(tmp_path):
    for suffix in ("service", "socket"):
        text = (DEPLOY / f"systemd/aioserve.{suffix}").read_text("utf-8")
        # Here nothing is at that place, which `verify` would tell.
        text = text.replace("/srv/site/.venv/bin/aioserve", "/bin/true")
        (tmp_path / f"aioserve.{suffix}").write_text(text)
    files = [tmp_path / "aioserve.service", tmp_path / "aioserve.socket"]
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (judged.returncode, judged.stdout + judged.stderr) == (0, "")


def test_units_are_what_the_command_of_the_page_prints(start, command, tmp_path):
    """Apart from where aioserve is; `make fix` writes them anew, and tests/project says if they are stale."""
    page = (DEPLOY / "README.md").read_text("utf-8")
    words = shlex.split(re.search(r"^ +aioserve (.* --print-unit)$", page, re.MULTILINE)[1])
    program = start("aioserve", *words, env=command, cwd=tmp_path)

    assert program.wait() == 0
    printed = program.stdout.text
    for suffix in ("service", "socket"):
        for line in (DEPLOY / f"systemd/aioserve.{suffix}").read_text("utf-8").splitlines():
            if line.startswith("ExecStart="):
                assert f"{line.partition(' ')[2]}\n" in printed
            elif not line.startswith(("WorkingDirectory=", "ProtectHome=")):
                assert f"{line}\n" in printed


# Containers


def printed(words):
    """Return the options of a command line, as aioserve reads them."""
    done = subprocess.run(
        [sys.executable, "-m", "aioserve", "--print-config", *words],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return tomllib.loads(done.stdout)


@pytest.fixture
def dockerfile():
    """The instructions of the Dockerfile, each with its arguments."""
    text = (DEPLOY / "docker/Dockerfile").read_text("utf-8")
    return [line.split(" ", 1) for line in text.splitlines() if line and line[0] != "#"]


def test_image_has_what_is_there_and_nothing_that_is_ignored(dockerfile):
    ignored = (DEPLOY / "docker/Dockerfile.dockerignore").read_text("utf-8").splitlines()
    copied = [name for what, rest in dockerfile if what == "COPY" for name in rest.split()[:-1]]
    copied = [name for name in copied if not name.startswith(("--from", "/opt"))]

    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert {line[1:] for line in ignored if line.startswith("!")} == set(copied)
    assert "*" in ignored
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert {name.partition("/")[0] for name in shared} <= set(copied)


def test_container_starts_the_command_without_a_shell_and_without_privileges(dockerfile):
    said = dict(dockerfile)  # the last of each
    options = printed(json.loads(said["CMD"]))

    assert json.loads(said["ENTRYPOINT"]) == ["aioserve"]
    assert options["bind"] == [f":{said['EXPOSE']}"]
    assert options["timeout-shutdown"] == "7s"
    assert said["USER"].split(":")[0] not in ("0", "root")
    assert said["STOPSIGNAL"] == "SIGTERM"


def test_container_is_asked_for_its_health(dockerfile, start):
    words = json.loads(dict(dockerfile)["HEALTHCHECK"].partition("CMD ")[2])
    assert words[:2] == ["python", "-c"]
    ours = free_port()
    words = [sys.executable, "-c", replaced(words[2], ("8080", str(ours)))]

    assert subprocess.run(words, stderr=subprocess.DEVNULL, check=False).returncode != 0
    server = start(
        *(sys.executable, "-m", "aioserve", ROOT / "examples/hello.py:Handler", "--bind", f"127.0.0.1:{ours}")
    )
    server.stderr.wait_for("listening on ")
    assert subprocess.run(words, check=False).returncode == 0


def test_pod_has_the_time_that_its_end_may_take_and_no_privileges():
    deployment, service = yaml.safe_load_all((DEPLOY / "kubernetes/aioserve.yaml").read_text("utf-8"))
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    options = printed(container["args"])

    seconds = sum(int(options[key].rstrip("s")) for key in ("drain-delay", "timeout-shutdown"))
    assert pod["terminationGracePeriodSeconds"] >= seconds + 5
    assert options["bind"] == [f":{container['ports'][0]['containerPort']}"]
    # What the restricted standard of pod security asks for.
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        (port,) = [each["port"] for each in container[probe].values() if isinstance(each, dict)]
        assert port == container["ports"][0]["name"] == service["spec"]["ports"][0]["targetPort"]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


# The whole


def test_page_names_every_file_and_links_lead_somewhere():
    text = (DEPLOY / "README.md").read_text("utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)

    assert [link for link in links if not (DEPLOY / link).exists()] == []
    folders = {path.name for path in DEPLOY.iterdir() if path.is_dir()}
    assert {link.partition("/")[0] for link in links} == folders


def test_files_are_in_the_source_distribution():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    assert "deploy" in project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
