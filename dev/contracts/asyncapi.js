// Whether a document is AsyncAPI: asyncapi.js FILE. Prints whatever the parser finds, and ends with 1 if that is anything.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(await readFile(process.argv[2], "utf8"));
for (const { path, message, severity } of diagnostics) {
  console.log(`${path.join("/")}: ${message} (severity ${severity})`);
}
console.log(`AsyncAPI ${document?.version()}: ${diagnostics.length} problems`);
process.exitCode = document && diagnostics.length === 0 ? 0 : 1;
