// Op codes of the kernel `combine`: the enum Op of assembly/combine.ts. The case table holds each against its reference.
export const code = {
  maximum: 0,
  minimum: 1,
  eq: 2,
  ne: 3,
  lt: 4,
  le: 5,
  addInt: 6,
  subInt: 7,
  mulInt: 8,
  maximumInt: 9,
  minimumInt: 10,
  eqInt: 11,
  neInt: 12,
  ltInt: 13,
  leInt: 14,
  and: 15,
  or: 16,
  xor: 17,
  /** a where b, else 0 */
  keep: 18,
  /** 0 where b, else a */
  drop: 19,
  /** a written where b, into a result that keeps the rest */
  merge: 20,
  pow: 21,
  remainder: 22,
  remainderInt: 23,
  powInt: 24,
} as const;
