// Plays a client of the Model Context Protocol with the official package, in both eras.
//
// Arguments: the program, the workspace, a code that search finds.

import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const [command, workspace, code] = process.argv.slice(2);

async function play(options, version) {
    const client = new Client({ name: 'test', version: '1' }, options);
    await client.connect(new StdioClientTransport({ command, args: ['-C', workspace, 'mcp'] }));
    assert.equal(client.getNegotiatedProtocolVersion(), version);
    const names = (await client.listTools()).tools.map((tool) => tool.name);
    assert.deepEqual(names, ['sync_data', 'query', 'search', 'read', 'status', 'diff', 'log', 'tag', 'note', 'claim']);
    // The client holds what it gets against the output schema.
    const synced = await client.callTool({ name: 'sync_data', arguments: {} }, { onprogress: () => {} });
    assert(!synced.isError && ['synced', 'up-to-date'].includes(synced.structuredContent.outcome), JSON.stringify(synced));
    const found = await client.callTool({ name: 'search', arguments: { text: code } });
    assert.equal(found.structuredContent.documents[0].code, code);
    for (const [name, given] of [['sync_data', { force: true }], ['read', { code: 'NO-T-0001' }]]) {
        const refused = await client.callTool({ name, arguments: given });
        assert(refused.isError && [1, 2].includes(refused.structuredContent.error.exit), JSON.stringify(refused));
    }
    await assert.rejects(client.callTool({ name: 'nuke', arguments: {} }));
    await client.close();
    console.log(version);
}

await play({}, '2025-11-25');
await play({ versionNegotiation: { mode: 'auto' } }, '2026-07-28');
