/** Puts a text on the clipboard and says whether that worked. */
import { useState } from "preact/hooks";

interface CopyButtonProps {
  readonly text: string;
  /** Named to those who do not see what the button stands beside. */
  readonly what: string;
}

const SAID_FOR_MS = 2_000;

export function CopyButton({ text, what }: CopyButtonProps) {
  const [said, setSaid] = useState("Copy");
  const copy = async () => {
    try {
      // Browsers give pages a clipboard over HTTPS or on this machine only.
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("Select it by hand");
    }
    window.setTimeout(() => setSaid("Copy"), SAID_FOR_MS);
  };
  return (
    <button type="button" class="copy" onClick={copy}>
      <span aria-live="polite">{said}</span>
      <span class="hidden"> {what}</span>
    </button>
  );
}
