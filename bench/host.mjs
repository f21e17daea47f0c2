// Runs one peer (argv[2], a module of peers/) in a process of its own, at the command of the bench.
//
// Requests come in as lines on stdin, replies go out on descriptor 3, because libraries like to print banners on stdout.
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { server } from "./serve.mjs";

const reply = server(() => import(process.argv[2]));
for await (const line of createInterface({ input: process.stdin })) writeSync(3, `${await reply(line)}\n`);
