import { useEffect, useState } from 'preact/hooks';
import { Post, type PostState } from './offline/post';

const first: PostState = { offline: false, stale: false, waiting: 0, refused: 0, next: 0 };

// usePost keeps the device of a gate able to work without a network while the page is open.
export function usePost(gate: string, offline: boolean, onLoggedOut: () => void): { post?: Post; state: PostState } {
  const [state, setState] = useState(first);
  const [post, setPost] = useState<Post>();
  useEffect(() => {
    const p = new Post(gate, setState, onLoggedOut);
    setPost(p);
    void p.start(offline);
    const back = () => void p.reach();
    window.addEventListener('online', back);
    return () => {
      p.close();
      window.removeEventListener('online', back);
    };
  }, [gate]);
  return { post, state };
}
