"""The floor: an endpoint that verifies one signature and durably inserts one row, and does nothing else.

    python -m tests.bench.floor FOLDER PORT

The same server, loop, parser and database settings as the broker's; what a check costs beyond it is what Sluis does.
"""

import sqlite3
import sys
from pathlib import Path

import jwt
import uvloop
from fastapi import FastAPI, Request, Response

from audit.sqlite import open_database
from broker.api.serving import serve
from tests.simulators.enrolled import WIJKTEAM, key


def create_floor(connection: sqlite3.Connection) -> FastAPI:
    """Return the application over an open database."""
    connection.execute("CREATE TABLE IF NOT EXISTS floor (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    app, public = FastAPI(openapi_url=None), jwt.PyJWK(key(WIJKTEAM).public.jwk())

    @app.post("/floor")
    async def floor(request: Request) -> Response:
        body = await request.body()
        token = request.headers["authorization"].removeprefix("Sluis ")
        jwt.decode(token, public, algorithms=["EdDSA"], options={"verify_aud": False})
        connection.execute("INSERT INTO floor (body) VALUES (?)", (body,))  # in autocommit: durable before the answer
        return Response(b'{"done":true}', media_type="application/json")

    return app


async def _main(folder: Path, port: int) -> None:
    connection = open_database(folder / "floor.sqlite")
    app = create_floor(connection)
    await serve(app, host="127.0.0.1", port=port, announce=lambda: print(f"ready http://127.0.0.1:{port}", flush=True))


if __name__ == "__main__":
    uvloop.run(_main(Path(sys.argv[1]), int(sys.argv[2])))
