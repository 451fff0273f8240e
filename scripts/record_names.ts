/**
 * Records what CPython 3.14 offers: the public names of asyncio and of contextvars, with the methods and
 * properties of each class, in `tests/completeness/names.json`.
 *
 *     deno run --allow-read --allow-env --allow-write=tests/completeness scripts/record_names.ts
 */

import { loadPyodide } from "pyodide";

const FILE = new URL("../tests/completeness/names.json", import.meta.url);

const python = await loadPyodide();
const recorded: string = python.runPython(`
import asyncio, asyncio.staggered, contextvars, importlib, json, sys

# The loop's methods are those of BaseEventLoop; the other classes of loops have the same.
LOOPS = {"AbstractEventLoop", "BaseEventLoop", "SelectorEventLoop"}

def public_members(cls):
    inherited = {name for base in cls.__mro__ if base.__module__ == "builtins" for name in vars(base)}
    return [name for name in dir(cls) if not name.startswith("_") and name not in inherited]

def describe(name, value):
    if not isinstance(value, type) or name in LOOPS:
        return {"name": name}
    members = public_members(asyncio.BaseEventLoop if name == "EventLoop" else value)
    return {"name": name, "members": members} if members else {"name": name}

def describe_module(module, names):
    return {"module": module.__name__, "names": [describe(name, getattr(module, name)) for name in names]}

submodules = [importlib.import_module(name) for name in sorted(sys.modules) if name.startswith("asyncio.")]
public = set(asyncio.__all__)
modules = [
    describe_module(module, names)
    for module in submodules
    if (names := [name for name in getattr(module, "__all__", ()) if name in public])
]
modules.append(describe_module(asyncio.staggered, asyncio.staggered.__all__))
modules.append(describe_module(contextvars, contextvars.__all__))

missed = public - {name["name"] for module in modules for name in module["names"]}
assert not missed, missed

json.dumps({"python": sys.version.split()[0], "modules": modules}, indent=2)
`);
await Deno.writeTextFile(FILE, `${recorded}\n`);
