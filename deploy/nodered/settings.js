// Settings of Node-RED for the flow of hanbridge. Everything else keeps Node-RED's default.
module.exports = {
    flowFile: 'flows.json',

    // Time until the next try to connect to the broker, in milliseconds. Node-RED's default is 15000.
    mqttReconnectTime: 3000,

    // The context of the flow survives a restart: it holds the counters at midnight. It is written every 30 s.
    contextStorage: { default: { module: 'localfilesystem' } },

    // Whoever can open the editor can run programs on this machine. To ask for a password, see "Securing Node-RED"
    // in its documentation: adminAuth for the editor, httpNodeAuth for the page.
};
