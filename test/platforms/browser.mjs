// A page that imports dist/ as it is, from a local server with a strict Content-Security-Policy, in a headless browser.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, normalize } from "node:path";

// No inline scripts, no eval: 'wasm-unsafe-eval' is the least that compiling wasm needs.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self'";
const page =
  '<!doctype html><meta charset="utf-8"><title>gradine</title><script type="module" src="/page.js"></script>';
// The page posts what happened, since a driver's own ways to wait for a value inject scripts.
const script = (call) => `const post = (path, value) => fetch(path, { method: "POST", body: value });
try {
  const { train } = await import("/train.js");
  await post("/result", JSON.stringify(await ${call}));
} catch (error) {
  await post("/failure", String(error?.stack ?? error));
}`;

// What a page needs to share memory with its workers.
const isolation = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};

/**
 * The program's result from a browser. `program` is a module that imports "gradine" and exports `train`, `call` what is called
 * of it; an `isolated` page can have threads.
 */
export async function runInBrowser({ name, executablePath, program, dist, call = "train()", isolated = false }) {
  const { launch } = (await import("puppeteer-core")).default;
  let settle;
  const outcome = new Promise((done, fail) => {
    settle = { done, fail };
  });
  outcome.catch(() => {}); // it may fail before anyone waits for it
  // Bare specifiers become addresses here, as an import map would make them; an inline map is what the policy forbids.
  const train = (await readFile(program, "utf8"))
    .replace(/from "gradine"/g, 'from "/gradine/index.js"')
    .replace(/from "gradine\/(\w+)"/g, 'from "/gradine/$1/index.js"');

  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const send = (status, type, body) => {
      const headers = { "content-type": type, "content-security-policy": policy, ...(isolated && isolation) };
      response.writeHead(status, headers).end(body);
    };
    if (request.method === "POST") {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      send(204, "text/plain");
      if (path === "/result") settle.done(JSON.parse(text));
      else settle.fail(new Error(`in the page: ${text}`));
    } else if (path === "/") send(200, "text/html", page);
    else if (path === "/page.js") send(200, "text/javascript", script(call));
    else if (path === "/train.js") send(200, "text/javascript", train);
    else if (path.startsWith("/gradine/")) {
      const file = await readFile(join(dist, path.slice("/gradine/".length))).catch(() => undefined);
      send(file ? 200 : 404, "text/javascript", file ?? "");
    } else send(404, "text/plain", "");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));

  const browser = await launch({ browser: name, executablePath, args: name === "chrome" ? ["--no-sandbox"] : [] });
  const timer = setTimeout(() => settle.fail(new Error("the page gave no result in a minute")), 60_000);
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${server.address().port}/`);
    return { version: await browser.version(), result: await outcome };
  } finally {
    clearTimeout(timer);
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}
