// All rows, one line a family.
import { rows as activation } from "./activation.js";
import { rows as arithmetic } from "./arithmetic.js";
import { rows as attention } from "./attention.js";
import type { Row } from "./case.js";
import { rows as compare } from "./compare.js";
import { rows as conv } from "./conv.js";
import { rows as convert } from "./convert.js";
import { rows as count } from "./count.js";
import { rows as creation } from "./creation.js";
import { rows as dropout } from "./dropout.js";
import { rows as elementwise } from "./elementwise.js";
import { rows as embedding } from "./embedding.js";
import { rows as gather } from "./gather.js";
import { rows as grid } from "./grid.js";
import { rows as indexing } from "./indexing.js";
import { rows as join } from "./join.js";
import { rows as layout } from "./layout.js";
import { rows as linalg } from "./linalg.js";
import { rows as loss } from "./loss.js";
import { rows as lossPairs } from "./loss-pairs.js";
import { rows as lossSequence } from "./loss-sequence.js";
import { rows as masked } from "./masked.js";
import { rows as matmul } from "./matmul.js";
import { rows as norm } from "./norm.js";
import { rows as pad } from "./pad.js";
import { rows as pool } from "./pool.js";
import { rows as reduce } from "./reduce.js";
import { rows as scan } from "./scan.js";
import { rows as softmax } from "./softmax.js";
import { rows as sort } from "./sort.js";
import { rows as statistics } from "./statistics.js";
import { rows as triangle } from "./triangle.js";
import { rows as unary } from "./unary.js";
import { rows as write } from "./write.js";

export const rows: readonly Row[] = [
  ...activation,
  ...arithmetic,
  ...attention,
  ...compare,
  ...conv,
  ...convert,
  ...count,
  ...creation,
  ...dropout,
  ...elementwise,
  ...embedding,
  ...gather,
  ...grid,
  ...indexing,
  ...join,
  ...layout,
  ...linalg,
  ...loss,
  ...lossPairs,
  ...lossSequence,
  ...masked,
  ...matmul,
  ...norm,
  ...pad,
  ...pool,
  ...reduce,
  ...scan,
  ...softmax,
  ...sort,
  ...statistics,
  ...triangle,
  ...unary,
  ...write,
];
