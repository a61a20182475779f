"""Prints the messages of each version, by the schemas that come with the library `ocpp`."""

import json
import pathlib

import ocpp

FOLDERS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}


def names(folder: str) -> list[str]:
    """Return what has a schema of its request, or of all there is."""
    schemas = pathlib.Path(ocpp.__file__).parent / folder / "schemas"
    all_names = {path.stem for path in schemas.glob("*.json")}
    return sorted({name.removesuffix("Request") for name in all_names if not name.endswith("Response")})


print(json.dumps({version: names(folder) for version, folder in FOLDERS.items()}))
