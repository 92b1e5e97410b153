"""The Content-Type of a file, by its name, and which types are worth compressing.

This file decides alone: the registry of the machine is not asked, so that the same folder is served alike
everywhere. The names are those registered with IANA; where nothing is, those in common use. All of ``text/*``
is said to be UTF-8. JSON has no such parameter (RFC 8259 §8.1), XML says its own encoding, and the rest has
none.
"""

from __future__ import annotations

UNKNOWN = "application/octet-stream"

_TEXT = "text/plain; charset=utf-8"

# Source code and settings are plain text, so that a browser shows them rather than downloads them.
# `ts` is TypeScript: its other meaning, a piece of an MPEG stream, is only ever asked for by a player, which
# looks at the bytes. `key`, `pot` and `sql` have such twins as well.
_SOURCE = (
    "txt text log out diff patch rst adoc asciidoc org tex latex ltx sty cls bib ris texi texinfo po pot "
    "ini cfg conf cnf config properties jsonc hjson editorconfig lock desktop service srt ass ssa lrc "
    "sha1 sha224 sha256 sha384 sha512 md5 b2 sum minisig pub changes buildinfo dsc "
    "c h cc cpp cxx c++ hh hpp hxx inl ino m mm cs csx fs fsi fsx vb d go rs swift zig nim cr v sv svh vhdl "
    "java kt kts scala sc groovy gradle clj cljs cljc edn py pyi pyw pyx pxd rb rake gemspec php pl pm lua "
    "ts tsx mts cts jsx vue svelte astro coffee dart less scss sass styl pug hbs ejs mustache j2 njk liquid "
    "sh bash zsh fish ksh csh ps1 psm1 psd1 bat cmd awk sed tcl tk vim sql psql proto thrift capnp graphql "
    "hs lhs elm ml mli erl hrl ex exs el lisp cl scm rkt jl r rmd qmd f f77 f90 f95 for pas adb ads asm s "
    "cu cuh glsl vert frag comp hlsl metal wat sol move tf tfvars hcl nix cmake mk mak bazel bzl ninja gn gni"
)

_EXTENSIONS = {
    # text
    "text/html; charset=utf-8": "html htm shtml",
    "text/css; charset=utf-8": "css",
    "text/javascript; charset=utf-8": "js mjs cjs",  # RFC 9239
    _TEXT: _SOURCE,
    "text/markdown; charset=utf-8": "md markdown mdown mkd",  # RFC 7763
    "text/csv; charset=utf-8": "csv",
    "text/tab-separated-values; charset=utf-8": "tsv",
    "text/calendar; charset=utf-8": "ics ifb",
    "text/vcard; charset=utf-8": "vcf vcard",
    "text/vtt; charset=utf-8": "vtt",
    "text/turtle; charset=utf-8": "ttl",
    "text/n3; charset=utf-8": "n3",
    "text/shex; charset=utf-8": "shex",
    "text/spdx; charset=utf-8": "spdx",
    "text/sgml; charset=utf-8": "sgml sgm",
    "text/troff; charset=utf-8": "roff man",
    "text/uri-list; charset=utf-8": "uri uris urls",
    "text/vnd.graphviz; charset=utf-8": "gv dot",
    "text/wgsl; charset=utf-8": "wgsl",
    "text/x-opml; charset=utf-8": "opml",
    # data
    "application/json": "json map har topojson",
    "application/ld+json": "jsonld",
    "application/geo+json": "geojson",
    "application/importmap+json": "importmap",
    "application/jsonl": "jsonl",
    "application/json5": "json5",
    "application/manifest+json": "webmanifest",
    "application/sarif+json": "sarif",
    "application/schema+json": "jsonschema",
    "application/x-ipynb+json": "ipynb",
    "application/x-ndjson": "ndjson",
    "application/cbor": "cbor",
    "application/toml": "toml",
    "application/yaml": "yaml yml",  # RFC 9512
    "application/xml": "xml xsl xsd rng plist",
    "application/xml-dtd": "dtd",
    "application/xhtml+xml": "xhtml xht",
    "application/xslt+xml": "xslt",
    "application/atom+xml": "atom",
    "application/rss+xml": "rss",
    "application/rdf+xml": "rdf",
    "application/owl+xml": "owl",
    "application/wsdl+xml": "wsdl",
    "application/xliff+xml": "xlf xliff",
    "application/mathml+xml": "mathml mml",
    "application/gml+xml": "gml",
    "application/gpx+xml": "gpx",
    "application/metalink4+xml": "meta4",
    "application/vnd.google-earth.kml+xml": "kml",
    "application/vnd.google-earth.kmz": "kmz",
    "application/vnd.openstreetmap.data+xml": "osm",
    "application/n-triples": "nt",
    "application/n-quads": "nq",
    "application/trig": "trig",
    "application/sparql-query": "rq",
    "application/relax-ng-compact-syntax": "rnc",
    "application/wasm": "wasm",  # compiled while it arrives only under this name
    # science
    "application/vnd.apache.arrow.file": "arrow feather",
    "application/vnd.apache.arrow.stream": "arrows",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.sqlite3": "sqlite sqlite3",
    "application/geopackage+sqlite3": "gpkg",
    "application/vnd.shp": "shp",
    "application/vnd.shx": "shx",
    "application/vnd.dbf": "dbf",
    "application/vnd.las": "las",
    "application/vnd.laszip": "laz",
    "application/vnd.mapbox-vector-tile": "mvt",
    "application/vnd.tcpdump.pcap": "pcap cap",
    "application/dicom": "dcm dicom",
    "application/fits": "fits fit fts",  # RFC 4047
    "application/x-hdf": "hdf",
    "application/x-hdf5": "h5 hdf5",
    "application/x-matlab-data": "mat",
    "application/x-netcdf": "nc cdf",
    # images
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/apng": "apng",
    "image/jpeg": "jpg jpeg jpe jfif pjpeg pjp",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/jxl": "jxl",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/jp2": "jp2",
    "image/jpx": "jpx jpf",
    "image/jxr": "jxr",
    "image/bmp": "bmp dib",
    "image/tiff": "tif tiff",
    "image/ktx": "ktx",
    "image/ktx2": "ktx2",
    "image/aces": "exr",
    "image/emf": "emf",
    "image/wmf": "wmf",
    "image/vnd.adobe.photoshop": "psd",
    "image/vnd.dwg": "dwg",
    "image/vnd.dxf": "dxf",
    "image/vnd.djvu": "djvu djv",
    "image/vnd.microsoft.icon": "ico cur",
    "image/vnd.ms-dds": "dds",
    "image/vnd.radiance": "hdr",
    "image/x-adobe-dng": "dng",
    "image/x-portable-anymap": "pnm",
    "image/x-portable-bitmap": "pbm",
    "image/x-portable-graymap": "pgm",
    "image/x-portable-pixmap": "ppm",
    "image/x-tga": "tga",
    "image/x-xbitmap": "xbm",
    "image/x-xcf": "xcf",
    "image/x-xpixmap": "xpm",
    # fonts
    "font/woff2": "woff2",
    "font/woff": "woff",
    "font/ttf": "ttf",
    "font/otf": "otf",
    "font/collection": "ttc otc",
    "application/vnd.ms-fontobject": "eot",
    # sound and film
    "audio/mpeg": "mp3 mp2 mpga",
    "audio/mp4": "m4a m4b cmfa",
    "audio/aac": "aac adts",
    "audio/ac3": "ac3",
    "audio/amr": "amr",
    "audio/basic": "au snd",
    "audio/flac": "flac",
    "audio/matroska": "mka",
    "audio/midi": "mid midi kar",
    "audio/ogg": "ogg oga opus spx",
    "audio/wav": "wav wave",
    "audio/webm": "weba",
    "audio/x-aiff": "aif aiff aifc",
    "audio/x-caf": "caf",
    "audio/x-mpegurl": "m3u",
    "audio/x-ms-wma": "wma",
    "audio/x-scpls": "pls",
    "video/3gpp": "3gp 3gpp",
    "video/3gpp2": "3g2",
    "video/iso.segment": "m4s",
    "video/matroska": "mkv",
    "video/mp2t": "m2ts m2t",
    "video/mp4": "mp4 m4v mp4v cmfv",
    "video/mpeg": "mpeg mpg mpe m1v m2v",
    "video/ogg": "ogv",
    "video/quicktime": "mov qt",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/x-ms-asf": "asf",
    "video/x-ms-wmv": "wmv",
    "video/x-msvideo": "avi",
    "application/dash+xml": "mpd",
    "application/mxf": "mxf",
    "application/ogg": "ogx",
    "application/ttml+xml": "ttml dfxp",
    "application/vnd.apple.mpegurl": "m3u8",
    "application/vnd.recordare.musicxml": "mxl",
    "application/vnd.recordare.musicxml+xml": "musicxml",
    "application/xspf+xml": "xspf",
    # things in three dimensions
    "model/3mf": "3mf",
    "model/gltf+json": "gltf",
    "model/gltf-binary": "glb",
    "model/iges": "igs iges",
    "model/mtl": "mtl",
    "model/obj": "obj",
    "model/step": "step stp",
    "model/stl": "stl",
    "model/vnd.collada+xml": "dae",
    "model/vnd.usda": "usda",
    "model/vnd.usdz+zip": "usdz",
    "model/vrml": "wrl vrml",
    "model/x3d+xml": "x3d",
    # documents
    "application/pdf": "pdf",
    "application/postscript": "ps eps ai",
    "application/epub+zip": "epub",
    "application/oebps-package+xml": "opf",
    "application/x-dtbncx+xml": "ncx",
    "application/x-mobipocket-ebook": "mobi prc",
    "application/vnd.amazon.mobi8-ebook": "azw3",
    "application/vnd.comicbook+zip": "cbz",
    "application/vnd.comicbook-rar": "cbr",
    "application/rtf": "rtf",
    "application/mbox": "mbox",
    "message/rfc822": "eml",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls xlt",
    "application/vnd.ms-powerpoint": "ppt pps",
    "application/vnd.ms-outlook": "msg",
    "application/vnd.ms-project": "mpp",
    "application/vnd.ms-xpsdocument": "xps",
    "application/oxps": "oxps",
    "application/x-dvi": "dvi",
    "application/vnd.ms-excel.sheet.macroenabled.12": "xlsm",
    "application/vnd.ms-powerpoint.presentation.macroenabled.12": "pptm",
    "application/vnd.ms-word.document.macroenabled.12": "docm",
    "application/vnd.visio": "vsd",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template": "dotx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.template": "xltx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.presentationml.slideshow": "ppsx",
    "application/vnd.openxmlformats-officedocument.presentationml.template": "potx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.text-template": "ott",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.spreadsheet-template": "ots",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.presentation-template": "otp",
    "application/vnd.oasis.opendocument.graphics": "odg",
    "application/vnd.oasis.opendocument.formula": "odf",
    "application/vnd.oasis.opendocument.base": "odb",
    "application/vnd.apple.keynote": "key",
    "application/vnd.apple.numbers": "numbers",
    "application/vnd.apple.pages": "pages",
    # archives
    "application/zip": "zip whl",
    "application/gzip": "gz tgz crate svgz",  # svgz is no SVG without a Content-Encoding
    "application/zstd": "zst tzst",  # RFC 8878
    "application/x-bzip2": "bz2 tbz tbz2",
    "application/x-xz": "xz txz",
    "application/x-lzip": "lz",
    "application/x-lz4": "lz4",
    "application/x-lzma": "lzma",
    "application/x-compress": "z",
    "application/x-tar": "tar gem",
    "application/x-cpio": "cpio",
    "application/x-7z-compressed": "7z",
    "application/vnd.rar": "rar",
    "application/vnd.ms-cab-compressed": "cab",
    # software
    "application/java-archive": "jar war ear",
    "application/java-vm": "class",
    "application/vnd.android.package-archive": "apk",
    "application/vnd.appimage": "appimage",
    "application/vnd.debian.binary-package": "deb udeb",
    "application/vnd.flatpak": "flatpak",
    "application/vnd.flatpak.ref": "flatpakref",
    "application/vnd.microsoft.portable-executable": "exe dll",
    "application/vnd.snap": "snap",
    "application/x-apple-diskimage": "dmg",
    "application/x-bittorrent": "torrent",
    "application/x-chrome-extension": "crx",
    "application/x-iso9660-image": "iso",
    "application/x-java-jnlp-file": "jnlp",
    "application/x-msi": "msi",
    "application/x-rpm": "rpm",
    "application/x-xpinstall": "xpi",
    "application/appinstaller": "appinstaller",
    "application/appx": "appx",
    "application/appxbundle": "appxbundle",
    "application/msix": "msix",
    "application/msixbundle": "msixbundle",
    "application/vsix": "vsix",
    "application/vnd.apple.pkpass": "pkpass",
    "application/x-apple-aspen-config": "mobileconfig",
    "application/x-ns-proxy-autoconfig": "pac",
    UNKNOWN: "bin dat db img pkg so pyc npy npz pkl onnx safetensors",  # known to have no type of their own
    # certificates and signatures
    "application/pem-certificate-chain": "pem",  # RFC 8555 §9.1
    "application/pgp-encrypted": "gpg pgp",
    "application/pgp-signature": "asc sig",
    "application/pkcs10": "p10 csr",
    "application/pkcs12": "p12 pfx",
    "application/pkcs7-mime": "p7m p7c",
    "application/pkcs7-signature": "p7s",
    "application/pkcs8": "p8",
    "application/pkix-cert": "cer",
    "application/pkix-crl": "crl",
    "application/x-pkcs7-certificates": "p7b spc",
    "application/x-x509-ca-cert": "crt der",
}

MEDIA_TYPES = {
    extension: media_type
    for media_type, extensions in _EXTENSIONS.items()
    for extension in extensions.split()
}

_TEXT_NAMES = (
    "AUTHORS CHANGELOG CHANGES CODEOWNERS CONTRIBUTING CONTRIBUTORS COPYING COPYRIGHT HISTORY INSTALL "
    "LICENCE LICENSE MAINTAINERS NEWS NOTICE README THANKS TODO VERSION Containerfile Dockerfile Gemfile "
    "GNUmakefile Jenkinsfile Justfile Makefile Pipfile Procfile Rakefile Vagrantfile justfile makefile "
    "InRelease Packages Release Sources B2SUMS MD5SUMS SHA1SUMS SHA256SUMS SHA512SUMS"
)
_JSON_NAMES = "apple-app-site-association openid-configuration oauth-authorization-server"  # in /.well-known/

# Names without an extension that are known as a whole, in this case.
NAMES = dict.fromkeys(_TEXT_NAMES.split(), _TEXT) | dict.fromkeys(_JSON_NAMES.split(), "application/json")

# Besides text/*, +json and +xml. Not here: what is compressed in itself, and data that is large as a rule.
_COMPRESSIBLE = (
    "application/json application/json5 application/jsonl application/n-quads application/n-triples "
    "application/pem-certificate-chain application/pgp-signature application/postscript "
    "application/relax-ng-compact-syntax application/rtf application/sparql-query application/toml "
    "application/trig application/vnd.apple.mpegurl application/vnd.ms-fontobject application/wasm "
    "application/x-java-jnlp-file application/x-ndjson application/x-ns-proxy-autoconfig application/xml "
    "application/xml-dtd application/yaml audio/x-mpegurl audio/x-scpls font/collection font/otf font/ttf "
    "image/bmp image/vnd.dxf image/vnd.microsoft.icon image/x-portable-anymap image/x-portable-bitmap "
    "image/x-portable-graymap image/x-portable-pixmap image/x-xbitmap image/x-xpixmap model/iges model/mtl "
    "model/obj model/step model/vnd.usda model/vrml"
)
COMPRESSIBLE = frozenset(_COMPRESSIBLE.split())


def media_type_of(file_name: str) -> str:
    """Name the media type of a file, with its charset where it is text, as Content-Type wants it.

    The last extension counts, in any case: ``x.tar.gz`` is ``application/gzip``. A name without one is text
    where it is one of the well-known (``LICENSE``). All others are ``application/octet-stream``.
    """
    _, dot, extension = file_name.rpartition(".")
    return MEDIA_TYPES.get(extension.lower(), UNKNOWN) if dot else NAMES.get(file_name, UNKNOWN)


def is_compressible(media_type: str) -> bool:
    """Whether content of this type, as `media_type_of` names it, gets much smaller by compression."""
    name = media_type.partition(";")[0]
    return name.startswith("text/") or name.endswith(("+json", "+xml")) or name in COMPRESSIBLE
