"""Plays a client of the Model Context Protocol with the official package, in whichever era it speaks.

Arguments: the program, the workspace, a code that search finds.
"""

import asyncio
import sys

PROGRAM, WORKSPACE, CODE = sys.argv[1:]
ARGS = ["-C", WORKSPACE, "mcp"]


def structured(result):
    return getattr(result, "structured_content", None) or getattr(result, "structuredContent", None)


def failed(result):
    return getattr(result, "is_error", None) or getattr(result, "isError", None)


async def play(session):
    names = [tool.name for tool in (await session.list_tools()).tools]
    assert names == ["sync_data", "query", "search", "read", "status", "diff", "log", "tag", "note", "claim"], names
    synced = await session.call_tool("sync_data", {})
    assert not failed(synced) and structured(synced)["outcome"] in ("synced", "up-to-date"), synced
    found = structured(await session.call_tool("search", {"text": CODE}))
    assert found["documents"][0]["code"] == CODE, found
    read = structured(await session.call_tool("read", {"code": CODE}))
    assert CODE in read["text"], read
    for tool, arguments in (("sync_data", {"force": True}), ("read", {"code": "NO-T-0001"})):
        refused = await session.call_tool(tool, arguments)
        assert failed(refused) and structured(refused)["error"]["exit"] in (1, 2), refused
    assert not failed(await session.call_tool("status", {"offline": True}))


async def main():
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    parameters = StdioServerParameters(command=PROGRAM, args=ARGS)
    async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
        print((await session.initialize()).__class__.__name__)
        await play(session)
    try:
        from mcp import Client
    except ImportError:
        return
    async with Client(parameters) as client:
        print(getattr(client, "protocol_version", None))
        await play(client)


asyncio.run(main())
