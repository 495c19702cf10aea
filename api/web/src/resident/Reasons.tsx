// Reasons says why the colour is what it is, what to do, what clears it, how far that is, and when it changes.
import { say, t, type Key } from '../i18n';
import { colourWord, moment } from '../lib/format';
import type { CodeView, Reason } from '../lib/types';
import { Shape, shapeOfColour } from '../ui/Shape';

export function Reasons({ view }: { view: CodeView }) {
  if (!view.told) return <CannotTell code={view.cannot_tell ?? view.reason} />;
  return (
    <>
      {view.reasons.length === 0 && (
        <section class="card">
          <h2>{t('why.title')}</h2>
          <p>{t('why.green')}</p>
        </section>
      )}
      {view.reasons.map((r) => <ReasonCard key={r.rule + r.since} reason={r} title="why.title" />)}
      {view.duties?.map((r) => <ReasonCard key={r.rule + r.since} reason={r} title="why.duty" />)}
      {view.next_change && <p class="card change"><strong>{t('why.next')}</strong> {moment(view.next_change)}</p>}
      <p class="soft small">{t('why.rules', { id: view.rules.id, version: view.rules.version })}</p>
    </>
  );
}

function ReasonCard({ reason: r, title }: { reason: Reason; title: Key }) {
  return (
    <section class={`card reason edge-${r.colour ?? 'none'}`}>
      <h2>{r.colour && <Shape name={shapeOfColour(r.colour)} class="inline" />}{t(title)}{r.colour && <span class="soft"> · {colourWord(r.colour)}</span>}</h2>
      <p class="why">{say(r.why)}</p>
      <dl>
        <dt>{t('why.do')}</dt><dd>{say(r.guidance)}</dd>
        <dt>{t('why.clears')}</dt>
        <dd>
          {say(r.clears)}
          {r.progress && <Steps have={r.progress.have} need={r.progress.need} what={say(r.progress.what)} next={r.progress.next} />}
        </dd>
        <dt>{t('why.since')}</dt><dd>{moment(r.since)}</dd>
        {!r.until.startsWith('0001') && <><dt>{t('why.until')}</dt><dd>{moment(r.until)}</dd></>}
      </dl>
    </section>
  );
}

function Steps({ have, need, what, next }: { have: number; need: number; what: string; next?: string }) {
  return (
    <div class="steps">
      <progress max={need} value={have} aria-label={what} />
      <p class="small">{t('why.progress', { have, need })} {what}{next && `, ${t('why.step', { time: moment(next) })}`}</p>
    </div>
  );
}

const told: Record<string, [Key, Key]> = {
  no_rules: ['tell.no_rules', 'tell.no_rules.do'],
  unknown_person: ['tell.unknown_person', 'tell.unknown_person.do'],
};

function CannotTell({ code }: { code: string }) {
  const [why, what] = told[code] ?? ['tell.other', 'tell.other.do'];
  return (
    <section class="card reason edge-none">
      <h2>{t('why.title')}</h2>
      <p class="why">{t(why)}</p>
      <p>{t(what)}</p>
    </section>
  );
}
