import { now } from './clock';
import { uuidv7 } from './uuidv7';

// OneEvent names what a form sends: the same content keeps its id however often it is sent, so that pressing the button
// again after a lost answer is the same event; changed content is another event.
export class OneEvent {
  private content = '';
  private id = '';

  idFor(body: unknown): string {
    const content = JSON.stringify(body);
    if (content !== this.content || this.id === '') {
      this.content = content;
      this.id = uuidv7(now());
    }
    return this.id;
  }
}
