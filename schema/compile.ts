/** Compiles schema/compose.json to a validator as code, so that ajv is not loaded at run time. */
