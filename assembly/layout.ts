/** First byte after the module's constants: where the host's allocator may start. */
export function heapBase(): usize {
  return __heap_base;
}
