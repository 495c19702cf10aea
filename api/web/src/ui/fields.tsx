// Form fields with their label, hint and fault tied together for screen readers.
import type { ComponentChildren, InputHTMLAttributes, TargetedEvent } from 'preact';
import { useId } from 'preact/hooks';
import { t } from '../i18n';

interface Common { label: string; hint?: string; fault?: string; optional?: boolean }

interface TextProps extends Common {
  value: string;
  onInput: (v: string) => void;
  type?: 'text' | 'tel' | 'password' | 'number' | 'datetime-local' | 'search';
  autocomplete?: string;
  inputmode?: 'numeric' | 'tel' | 'decimal' | 'text';
  maxLength?: number;
  required?: boolean;
  step?: string;
  min?: string;
  max?: string;
  pattern?: string;
  autofocus?: boolean;
}

export function TextField({ label, hint, fault, optional, onInput, ...rest }: TextProps) {
  const id = useId();
  const attributes = rest as InputHTMLAttributes<HTMLInputElement>; // the union by type cannot be told from a variable
  return (
    <div class="field">
      <label for={id}>{label}{optional && <span class="soft"> ({t('common.optional')})</span>}</label>
      <input
        id={id} {...attributes} aria-invalid={fault ? true : undefined} aria-describedby={notes(id, hint, fault)}
        onInput={(e: TargetedEvent<HTMLInputElement>) => onInput(e.currentTarget.value)}
      />
      <Notes id={id} hint={hint} fault={fault} />
    </div>
  );
}

interface SelectProps extends Common { value: string; onChange: (v: string) => void; children: ComponentChildren; required?: boolean; disabled?: boolean }

export function SelectField({ label, hint, fault, optional, onChange, children, ...rest }: SelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}{optional && <span class="soft"> ({t('common.optional')})</span>}</label>
      <select
        id={id} {...rest} aria-invalid={fault ? true : undefined} aria-describedby={notes(id, hint, fault)}
        onChange={(e: TargetedEvent<HTMLSelectElement>) => onChange(e.currentTarget.value)}
      >{children}</select>
      <Notes id={id} hint={hint} fault={fault} />
    </div>
  );
}

const notes = (id: string, hint?: string, fault?: string): string | undefined =>
  [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ') || undefined;

function Notes({ id, hint, fault }: { id: string; hint?: string; fault?: string }) {
  return (
    <>
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {fault && <p class="fault" id={`${id}-fault`}>{fault}</p>}
    </>
  );
}

// Choices is a group of radio buttons or check boxes shown as large targets.
interface ChoiceProps<T extends string> {
  legend: string;
  name: string;
  options: { value: T; label: string }[];
  chosen: T[];
  many?: boolean;
  onChange: (chosen: T[]) => void;
}

export function Choices<T extends string>({ legend, name, options, chosen, many, onChange }: ChoiceProps<T>) {
  const pick = (v: T) => {
    if (!many) return onChange([v]);
    onChange(chosen.includes(v) ? chosen.filter((c) => c !== v) : [...chosen, v]);
  };
  return (
    <fieldset class="choices">
      <legend>{legend}</legend>
      {options.map((o) => (
        <label key={o.value} class="choice">
          <input type={many ? 'checkbox' : 'radio'} name={name} value={o.value} checked={chosen.includes(o.value)} onChange={() => pick(o.value)} />
          <span>{o.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
