import { type ComponentChild, h } from 'preact';
import { drawProduct, height, type Shape, width } from './draw.js';

interface ProductPictureProps {
  readonly id: string;
  readonly name: string;
  readonly category: string;
}

const elementOf = ({ tag, attributes, children = [] }: Shape): ComponentChild =>
  h(tag, attributes, ...children.map(elementOf));

/**
 * A drawn picture of a product. Pictures from elsewhere are not loaded: their hosts would see who looks at what.
 * The name of the product stands beside it, so it has none for screen readers.
 */
export function ProductPicture({ id, name, category }: ProductPictureProps) {
  const { background, shapes } = drawProduct(category, name, id);
  return (
    <svg class="picture" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" focusable="false">
      <rect width={width} height={height} fill={background} />
      {shapes.map(elementOf)}
    </svg>
  );
}
