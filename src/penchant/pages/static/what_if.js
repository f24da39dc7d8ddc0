// The what-if page: portrait, ball and top follow while a feature is moved.

import { enliven } from "./fields.js";
import { followPage } from "./follow.js";

followPage();
enliven(document.getElementById("form"));
