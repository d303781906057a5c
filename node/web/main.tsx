/** The page's entry: draws it into the document. */
import { render } from "preact";
import { Page } from "./page.tsx";

render(<Page />, document.getElementById("page")!);
