// DivisionPicker chooses a place down to the district or county, as people know it: province, city, county.
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';
import { divisions, type Table } from '../lib/divisions';
import { SelectField } from './fields';

interface Props { label: string; value: string; onChange: (code: string) => void; fault?: string; optional?: boolean }

const up = (code: string, digits: number): string => (code.length < 6 ? '' : code.slice(0, digits).padEnd(6, '0'));

export function DivisionPicker({ label, value, onChange, fault, optional }: Props) {
  const [table, setTable] = useState<Table>();
  const [failed, setFailed] = useState(false);
  const load = () => {
    setFailed(false);
    divisions().then(setTable, () => setFailed(true));
  };
  useEffect(load, []);
  if (failed) return <p class="fault">{t('division.failed')} <button type="button" class="plain" onClick={load}>{t('common.retry')}</button></p>;

  const province = up(value, 2);
  const city = value.endsWith('0000') ? '' : up(value, 4);
  const county = value.endsWith('00') ? '' : value;
  const cities = province && table ? table.within(province) : [];
  const counties = city && table ? table.within(city) : [];
  const options = (list: { code: string; name: string }[]) => list.map((d) => <option key={d.code} value={d.code}>{d.name}</option>);
  return (
    <div class="places">
      <SelectField label={label} value={province} onChange={onChange} fault={fault} optional={optional} disabled={!table}>
        <option value="">{table ? t('division.province') : t('common.loading')}</option>
        {table && options(table.within('000000'))}
      </SelectField>
      {cities.length > 0 && (
        <SelectField label={t('division.city')} value={city} onChange={(c) => onChange(c || province)}>
          <option value="">{t('division.choose')}</option>
          {options(cities)}
        </SelectField>
      )}
      {counties.length > 0 && (
        <SelectField label={t('division.county')} value={county} onChange={(c) => onChange(c || city)}>
          <option value="">{t('division.choose')}</option>
          {options(counties)}
        </SelectField>
      )}
    </div>
  );
}
