/** Variables named without a value, in `environment` and `build.args`: they take it from the project's environment. */
import type { Environment } from "./environment.ts";
import { change, isMap, isNull, type MapNode, mapEntries, mapMaps, type Node } from "./node.ts";

/** What is set nowhere stays null. */
export function inheritVariables(model: MapNode, environment: Environment): MapNode {
  const inherit = (variables: Node): Node =>
    isMap(variables) ? mapEntries(variables, (value, key) => inherited(value, key, environment)) : variables;
  return change(model, "services", (services) =>
    mapMaps(services, (service) => {
      const result = change(service, "environment", inherit);
      return change(result, "build", (build) => (isMap(build) ? change(build, "args", inherit) : build));
    }),
  );
}

function inherited(value: Node, name: string, environment: Environment): Node {
  const known = isNull(value) && value.tag !== "reset" ? environment.get(name) : undefined;
  if (known === undefined || value.kind !== "scalar") return value;
  return {
    ...value,
    value: known,
    filled: [...(value.filled ?? []), { name, from: environment.sourceOf(name)! }],
  };
}
