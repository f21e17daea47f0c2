// The address type of the wasm heap, opaque on purpose.

declare const brand: unique symbol;

/**
 * A byte address in linear memory. At run time an unsigned number; in types neither a number nor made from one, so
 * that a length where an address belongs does not compile. Arithmetic on it lives in memory/ alone.
 */
export interface Ptr {
  readonly [brand]: true;
}
