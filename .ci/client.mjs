// The server as a client of the TypeScript SDK meets it: lists, an answer with progress, a refusal.
import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const client = new Client({ name: "ci", version: "1" });
const transport = new StdioClientTransport({
  command: process.argv[2],
  args: ["serve-mcp"],
  env: { ...process.env },
});
await client.connect(transport);

const { tools } = await client.listTools();
assert.ok(tools.some((tool) => tool.name === "route_request"));
const answer = await client.callTool({ name: "route_request", arguments: { prompt: "hello" } });
assert.equal(answer.structuredContent.status, "done");
assert.match(answer.content[0].text, /^Answer of /);
const refused = await client.callTool({ name: "list_models", arguments: { patern: "x" } });
assert.ok(refused.isError);
assert.match(refused.content[0].text, /did you mean 'pattern'/);
const { contents } = await client.readResource({ uri: "ollama://models" });
assert.ok(JSON.parse(contents[0].text).count > 0);
await client.close();
console.log(`${tools.length} tools, an answer, a refusal and a resource: ok`);
