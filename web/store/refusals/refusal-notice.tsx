import type { ComponentChildren } from 'preact';
import { Notice } from '../ui/notice.jsx';
import { type NameOf, type RefusalFacts, sentencesOf } from './facts.js';

interface RefusalNoticeProps {
  readonly refusal: RefusalFacts | null | undefined;
  readonly nameOf?: NameOf;
  /** what the customer can do about it */
  readonly children?: ComponentChildren;
}

/** Why a request was refused, by its facts; nothing without a refusal. */
export function RefusalNotice({ refusal, nameOf, children }: RefusalNoticeProps) {
  if (!refusal) return null;
  return (
    <Notice tone="bad">
      {sentencesOf(refusal, nameOf).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {children}
    </Notice>
  );
}
