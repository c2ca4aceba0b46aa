import type { EventMap } from './event-map.js'
import { type Logger, silentLog } from './log.js'

export type EventName = keyof EventMap
export type AnyEvent = {
  [K in EventName]: { readonly type: K; readonly at: number } & Readonly<EventMap[K]>
}[EventName]
export type EventOf<K extends EventName> = Extract<AnyEvent, { type: K }>

/**
 * The one typed bus. Events are plain values; who emits does not know who listens. Delivery is synchronous and in order;
 * a listener that throws is logged and harms nobody else.
 */
export interface EventBus {
  emit<K extends EventName>(type: K, payload: EventMap[K]): void
  /** @returns a function that takes the listener off */
  on<K extends EventName>(type: K, listener: (event: EventOf<K>) => void): () => void
  onAny(listener: (event: AnyEvent) => void): () => void
}

export function eventBus(nowMs: () => number = Date.now, log: Logger = silentLog): EventBus {
  const listeners = new Map<string, Set<(event: never) => void>>()
  const any = new Set<(event: AnyEvent) => void>()
  const call = (listener: (event: never) => void, event: AnyEvent): void => {
    try {
      listener(event as never)
    } catch (err) {
      log.error('a listener failed', { event: event.type, err })
    }
  }
  return {
    emit(type, payload) {
      const event = Object.freeze({ type, at: nowMs(), ...payload }) as unknown as AnyEvent
      for (const listener of [...(listeners.get(type) ?? [])]) call(listener, event)
      for (const listener of [...any]) call(listener, event)
    },
    on(type, listener) {
      const set = listeners.get(type) ?? new Set()
      listeners.set(type, set)
      set.add(listener as (event: never) => void)
      return () => set.delete(listener as (event: never) => void)
    },
    onAny(listener) {
      any.add(listener)
      return () => any.delete(listener)
    }
  }
}
