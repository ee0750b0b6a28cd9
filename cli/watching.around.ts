// Something with a few of its methods replaced. Used by watching.*.ts, which look at what passes between rooms.

/** All else goes to `target` itself, whose methods keep their own `this`. */
export function around<T extends object>(target: T, replaced: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      if (Object.hasOwn(replaced, key)) return replaced[key as keyof T];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
