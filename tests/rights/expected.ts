import type { Rule } from '../../subgraphs/shared/rights/rights.js';

export const viewers = [
  'nobody',
  'customer',
  'otherCustomer',
  'vendor',
  'otherVendor',
  'admin',
] as const;
export type Viewer = (typeof viewers)[number];

/** The outcome of a request: the code of an error, or whether there was a value. */
export type Outcome = 'given' | 'absent' | 'UNAUTHENTICATED' | 'FORBIDDEN' | (string & {});

const vendors: readonly Viewer[] = ['vendor', 'otherVendor'];

/**
 * The expected outcome of a request for a field with these rules.
 *
 * @param owner of the entity, if not the owner that is usual for the rule in the samples
 */
export function expected(rules: readonly Rule[], viewer: Viewer, owner?: Viewer): Outcome {
  const outcomes = rules.map((rule) => expectedBy(rule, viewer, owner ?? ownerOf(rule)));
  return outcomes.includes('given') ? 'given' : (outcomes[0] as Outcome);
}

const ownerOf = (rule: Rule): Viewer =>
  rule === 'shop-owner' || rule === 'creator' ? 'vendor' : 'customer';

function expectedBy(rule: Rule, viewer: Viewer, owner: Viewer): Outcome {
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
      throw new Error(`${rule} does not depend on the user`);
  }
}
