"""Starlette's static files, for uvicorn; the folder comes in STATIC_FOLDER."""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

app = Starlette(routes=[Mount("/", StaticFiles(directory=os.environ["STATIC_FOLDER"]))])
