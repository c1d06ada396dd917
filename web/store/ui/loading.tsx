/** Placeholders of a list that is loading. */
export function SkeletonCards({ count = 8 }: { readonly count?: number }) {
  return (
    <div class="cards" aria-hidden="true">
      {Array.from({ length: count }, (_, at) => (
        <div class="card skeleton-card" key={at}>
          <div class="skeleton skeleton-picture" />
          <div class="skeleton skeleton-line" />
          <div class="skeleton skeleton-line short" />
        </div>
      ))}
    </div>
  );
}

/** Placeholders of a page that is loading. */
export function Loading({ label = 'Loading …' }: { readonly label?: string }) {
  return (
    <div class="stack" role="status">
      <span class="visually-hidden">{label}</span>
      <div class="skeleton skeleton-title" />
      <div class="skeleton skeleton-block" />
      <div class="skeleton skeleton-line" />
      <div class="skeleton skeleton-line short" />
    </div>
  );
}
