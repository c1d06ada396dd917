import { useMonaco } from '@graphiql/react';
import { useEffect } from 'react';

// Monaco marks ’ and other letters that resemble ASCII: useful in programs, not in names of shops and products.
const options = { unicodeHighlight: { ambiguousCharacters: false } };

/** Sets options of all editors of the page, which GraphiQL creates without a way to pass any. */
export function EditorOptions() {
  const monaco = useMonaco(({ monaco }) => monaco);
  useEffect(() => {
    if (!monaco) return;
    for (const editor of monaco.editor.getEditors()) editor.updateOptions(options);
    const listener = monaco.editor.onDidCreateEditor((editor) => editor.updateOptions(options));
    return () => listener.dispose();
  }, [monaco]);
  return null;
}
