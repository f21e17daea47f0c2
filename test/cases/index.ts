// All rows, one line a family.

import { rows as activation } from "./activation.js";
import { rows as attention } from "./attention.js";
import type { Row } from "./case.js";
import { rows as dropout } from "./dropout.js";
import { rows as elementwise } from "./elementwise.js";
import { rows as norm } from "./norm.js";

export const rows: readonly Row[] = [...activation, ...attention, ...dropout, ...elementwise, ...norm];
