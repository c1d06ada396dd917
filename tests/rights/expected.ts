import type { Rule } from '../../subgraphs/shared/rights.js';

export const viewers = [
  'nobody',
  'customer',
  'otherCustomer',
  'vendor',
  'otherVendor',
  'admin',
] as const;
export type Viewer = (typeof viewers)[number];

/** What came of asking: an error's code, or whether there was something. */
export type Outcome = 'given' | 'absent' | 'UNAUTHENTICATED' | 'FORBIDDEN' | (string & {});

const vendors: readonly Viewer[] = ['vendor', 'otherVendor'];

/** What a rule means: the matrix. @param owner whose the thing is that is asked for */
export function expected(rule: Rule, viewer: Viewer, owner: Viewer): Outcome {
  const isNobody = viewer === 'nobody';
  const mayAct = viewer === owner || viewer === 'admin';
  const only = (isAllowed: boolean, refusal: Outcome = 'FORBIDDEN'): Outcome => {
    if (isAllowed) return 'given';
    return isNobody ? 'UNAUTHENTICATED' : refusal;
  };
  switch (rule) {
    case 'anyone':
      return 'given';
    case 'signed-in':
      return only(!isNobody);
    case 'own':
      return only(mayAct, 'absent');
    case 'self':
      return only(mayAct);
    case 'self-or-null':
      return mayAct ? 'given' : 'absent';
    case 'vendor':
      return only(vendors.includes(viewer) || viewer === 'admin');
    case 'shop-owner':
    case 'creator':
      return only(mayAct);
    case 'admin':
      return only(viewer === 'admin');
    default:
      throw new Error(`${rule} does not go by the user`);
  }
}

/** Whose the samples' things are, where a sample does not say so. */
export const ownerOf = (rule: Rule): Viewer =>
  rule === 'shop-owner' || rule === 'creator' ? 'vendor' : 'customer';
