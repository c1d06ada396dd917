import { Button } from './button.jsx';
import { ErrorNotice } from './error-notice.jsx';
import type { useMorePages } from './use-more-pages.js';

interface MorePagesProps {
  readonly list: Omit<ReturnType<typeof useMorePages>, 'pages'>;
  readonly label: string;
}

/** The button that loads the next page of a list, if there is one. */
export function MorePages({ list, label }: MorePagesProps) {
  const { hasNextPage, isBusy, error, loadMore } = list;
  return (
    <>
      <ErrorNotice error={error.value} failed="query" />
      {hasNextPage && (
        <p class="centered">
          <Button isBusy={isBusy.value} onClick={() => void loadMore()}>
            {label}
          </Button>
        </p>
      )}
    </>
  );
}
