/** The editor: CodeMirror for TypeScript, with the colours of the page. */

import { javascript } from "@codemirror/lang-javascript";
import { syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import {
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import { minimalSetup } from "codemirror";

/** What the editor's shortcuts do. */
export interface Commands {
  run(): void;
  stop(): void;
  /** The text has been changed by its reader. */
  changed(): void;
}

/** A text that can be edited, with a mark at the line of an error. */
export class Editor {
  readonly #view: EditorView;

  /** Puts an editor into an element; the label names it for those who do not see it. */
  constructor(parent: HTMLElement, label: string, commands: Commands) {
    const command = (act: () => void) => () => {
      act();
      return true;
    };
    const keys = [
      { key: "Mod-Enter", run: command(commands.run) },
      { key: "Mod-.", run: command(commands.stop) },
    ];
    const extensions = [
      Prec.highest(keymap.of(keys)),
      lineNumbers(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      minimalSetup,
      javascript({ typescript: true }),
      syntaxHighlighting(classHighlighter),
      lintGutter(),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": label }),
      EditorView.updateListener.of((update) => {
        if (update.transactions.some((change) => change.isUserEvent("input"))) commands.changed();
      }),
    ];
    this.#view = new EditorView({ parent, state: EditorState.create({ extensions }) });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  /** Replaces the text. */
  set text(text: string) {
    const { length } = this.#view.state.doc;
    this.#view.dispatch({
      changes: { from: 0, to: length, insert: text },
      selection: { anchor: 0 },
      scrollIntoView: true,
    });
    this.mark_error(null);
  }

  /** Marks a line with an error; `null` takes the mark away. */
  mark_error(error: { line: number; message: string } | null): void {
    const diagnostics: Diagnostic[] = [];
    if (error !== null) {
      const { from, to } = this.#line(error.line);
      diagnostics.push({ from, to, severity: "error", message: error.message });
    }
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }

  /** Shows a line and puts the cursor there. */
  go_to(line: number): void {
    this.#view.dispatch({ selection: { anchor: this.#line(line).from }, scrollIntoView: true });
    this.#view.focus();
  }

  #line(number: number): { from: number; to: number } {
    const { doc } = this.#view.state;
    return doc.line(Math.min(Math.max(number, 1), doc.lines));
  }
}
