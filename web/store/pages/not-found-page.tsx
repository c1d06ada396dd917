import { Empty, Page } from '../ui/page.jsx';

export function NotFoundPage() {
  return (
    <Page title="Not found">
      <Empty title="There is no such page.">
        <a class="button button-primary" href="/">
          All products
        </a>
      </Empty>
    </Page>
  );
}
