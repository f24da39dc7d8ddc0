// The draft page: the audience follows while somebody describes an item.

import { enliven } from "./fields.js";
import { followPage } from "./follow.js";

followPage();
enliven(document.getElementById("form"));
