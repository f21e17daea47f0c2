// All rows, one line a family.

import { rows as activation } from "./activation.js";
import type { Row } from "./case.js";
import { rows as elementwise } from "./elementwise.js";
import { rows as norm } from "./norm.js";

export const rows: readonly Row[] = [...activation, ...elementwise, ...norm];
