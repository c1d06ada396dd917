import { Empty, Page } from '../ui/page.jsx';

interface NotFoundPageProps {
  readonly text?: string;
}

export function NotFoundPage({ text = 'There is no such page.' }: NotFoundPageProps) {
  return (
    <Page title="Not found">
      <Empty title={text}>
        <a class="button button-primary" href="/">
          All products
        </a>
      </Empty>
    </Page>
  );
}
