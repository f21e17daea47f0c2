// Peers as pages of a headless Chromium, each in a browser of its own.
//
// The page is cross-origin isolated (COOP and COEP), as shared memory and the finest clock of a browser ask for. Bare
// specifiers resolve by an import map, to files of this repository as they are. Needs test/platforms' packages.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { decode, encode } from "./wire.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const isolation = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
const packages = "/bench/node_modules/@tensorflow";
// tfjs's bundle holds tfjs-core too, of which there must be one; the wasm backend's imports Node's modules, for Node alone.
const imports = {
  "@tensorflow/tfjs": `${packages}/tfjs/dist/tf.fesm.js`,
  "@tensorflow/tfjs-core": `${packages}/tfjs/dist/tf.fesm.js`,
  "@tensorflow/tfjs-backend-wasm": `${packages}/tfjs-backend-wasm/dist/tf-backend-wasm.fesm.js`,
  ...Object.fromEntries(["fs", "path", "perf_hooks", "os", "worker_threads"].map((name) => [name, "/empty.js"])),
};
const page = `<!doctype html><meta charset="utf-8"><title>bench</title>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
import { server } from "/bench/serve.mjs";
globalThis.reply = server(() => import("/bench/peers/" + location.hash.slice(1)));
</script>`;

/** A page that answers requests (serve.mjs) with the peer of that file: { call(method, params), end() }. */
export async function startPage(file) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is not installed (CHROMIUM names another)`);
  const resolve = createRequire(new URL("../test/platforms/package.json", import.meta.url)).resolve;
  const { launch } = (await import(pathToFileURL(resolve("puppeteer-core")))).default;
  const files = createServer(serveFile);
  await new Promise((done) => files.listen(0, "127.0.0.1", done));
  const browser = await launch({ executablePath, args: ["--no-sandbox"], protocolTimeout: 120_000 });
  const tab = await browser.newPage();
  await tab.goto(`http://127.0.0.1:${files.address().port}/#${file}`);
  await tab.waitForFunction("globalThis.reply && crossOriginIsolated");
  return {
    version: await browser.version(),
    async call(method, params) {
      const { result, error } = decode(
        await tab.evaluate((text) => globalThis.reply(text), encode({ method, params })),
      );
      if (error !== undefined) throw new Error(error);
      return result;
    },
    async end() {
      await browser.close();
      files.closeAllConnections();
      files.close();
    },
  };
}

async function serveFile(request, response) {
  const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
  const send = (status, type, body) => response.writeHead(status, { "content-type": type, ...isolation }).end(body);
  if (path === "/") return send(200, "text/html", page);
  if (path === "/empty.js") return send(200, "text/javascript", "export default {};");
  const body = await readFile(join(root, path)).catch(() => undefined);
  send(body ? 200 : 404, types[extname(path)] ?? "application/octet-stream", body ?? "");
}
