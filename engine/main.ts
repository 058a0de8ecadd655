console.log(process.env["SLIPWAY_VERSION"]);
