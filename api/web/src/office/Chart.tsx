// Chart draws counts by hour as plain bars. The table beside it says the same in text.
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { day, time } from '../lib/format';
import { steps } from '../lib/passages';

interface Props { hours: { at: number; count: number }[] }

const left = 46;
const top = 20;
const height = 220;

export function Chart({ hours }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => { box.current!.scrollLeft = box.current!.scrollWidth; }, [hours.length]); // the newest hours first in view
  const bar = hours.length <= 30 ? 34 : hours.length <= 80 ? 22 : 12;
  const marks = steps(Math.max(0, ...hours.map((h) => h.count)));
  const most = marks[marks.length - 1]!;
  const width = Math.max(320, left + hours.length * bar + 8);
  const y = (n: number) => top + height - (n / most) * height;
  const every = hours.length > 30 ? 6 : 3;
  return (
    <div ref={box} class="chart" tabIndex={0} role="group" aria-label={t('office.chart')}>
      <svg width={width} height={top + height + 40} viewBox={`0 0 ${width} ${top + height + 40}`} role="img" aria-label={t('office.chart')}>
        {marks.map((m) => (
          <g key={m}>
            <line x1={left} x2={width} y1={y(m)} y2={y(m)} class="grid" />
            <text x={left - 6} y={y(m) + 4} text-anchor="end">{m}</text>
          </g>
        ))}
        {hours.map((h, i) => (
          <g key={h.at}>
            <rect class="bar-rect" x={left + i * bar + 2} width={bar - 4} y={y(h.count)} height={top + height - y(h.count)}>
              <title>{`${day(h.at)} ${time(h.at)}: ${h.count}`}</title>
            </rect>
            {h.count > 0 && bar > 20 && <text x={left + i * bar + bar / 2} y={y(h.count) - 4} text-anchor="middle">{h.count}</text>}
            {i % every === 0 && <text x={left + i * bar + bar / 2} y={top + height + 16} text-anchor="middle">{time(h.at)}</text>}
            {(i === 0 || time(h.at) === '00:00') && <text x={left + i * bar + bar / 2} y={top + height + 33} text-anchor={i === 0 ? 'start' : 'middle'}>{day(h.at)}</text>}
          </g>
        ))}
      </svg>
    </div>
  );
}
