// Settings of Node-RED for the flow of hanbridge. All other settings have Node-RED's defaults.
module.exports = {
    flowFile: 'flows.json',

    // How long Node-RED waits before it tries again to connect to the broker, in milliseconds. The default is 15000.
    mqttReconnectTime: 3000,

    // Stores the context of the flow every 30 s, so that the counters at midnight survive a restart.
    contextStorage: { default: { module: 'localfilesystem' } },

    // Everybody who can open the editor can run programs on this machine. "Securing Node-RED" in Node-RED's documentation
    // explains passwords: adminAuth is for the editor, and httpNodeAuth for the page.
};
