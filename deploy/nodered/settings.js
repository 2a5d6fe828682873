// Settings of Node-RED for the flow of hanbridge. Everything else keeps Node-RED's default.
module.exports = {
    flowFile: 'flows.json',

    // The time until Node-RED tries again to connect to the broker, in milliseconds. The default is 15000.
    mqttReconnectTime: 3000,

    // Stores the context of the flow every 30 s, so that the counters at midnight survive a restart.
    contextStorage: { default: { module: 'localfilesystem' } },

    // Everybody who can open the editor can run programs on this machine. "Securing Node-RED" in Node-RED's documentation
    // explains passwords: adminAuth is for the editor, and httpNodeAuth for the page.
};
