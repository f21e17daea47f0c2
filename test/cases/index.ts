// All rows, one line a family.
import { rows as activation } from "./activation.js";
import { rows as arithmetic } from "./arithmetic.js";
import { rows as attention } from "./attention.js";
import type { Row } from "./case.js";
import { rows as compare } from "./compare.js";
import { rows as convert } from "./convert.js";
import { rows as creation } from "./creation.js";
import { rows as dropout } from "./dropout.js";
import { rows as elementwise } from "./elementwise.js";
import { rows as gather } from "./gather.js";
import { rows as layout } from "./layout.js";
import { rows as linalg } from "./linalg.js";
import { rows as loss } from "./loss.js";
import { rows as lossPairs } from "./loss-pairs.js";
import { rows as matmul } from "./matmul.js";
import { rows as norm } from "./norm.js";
import { rows as reduce } from "./reduce.js";
import { rows as softmax } from "./softmax.js";
import { rows as unary } from "./unary.js";
import { rows as write } from "./write.js";

export const rows: readonly Row[] = [
  ...activation,
  ...attention,
  ...convert,
  ...dropout,
  ...arithmetic,
  ...compare,
  ...creation,
  ...elementwise,
  ...gather,
  ...layout,
  ...linalg,
  ...loss,
  ...lossPairs,
  ...matmul,
  ...norm,
  ...reduce,
  ...softmax,
  ...unary,
  ...write,
];
