import { defineConfig } from "vitest/config";

// GRADINE_BUILD=fast runs the tests on another build of the kernels, GRADINE_THREADS=2 on two threads. Node 20 has relaxed SIMD behind a flag.
const other = process.env.GRADINE_BUILD !== undefined || process.env.GRADINE_THREADS !== undefined;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/platforms/**", "**/node_modules/**"],
    testTimeout: 60_000,
    pool: "forks",
    ...(other && { setupFiles: ["test/build.ts"] }),
    ...(process.versions.node.startsWith("20.") && { execArgv: ["--experimental-wasm-relaxed-simd"] }),
  },
});
