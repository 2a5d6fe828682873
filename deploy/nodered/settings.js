// What Node-RED needs to know beside the flow. All else is as Node-RED has it by itself: see its documentation.
module.exports = {
    flowFile: 'flows.json',

    // After a restart of the broker the numbers are back within seconds. In milliseconds; Node-RED's own file has 15000.
    mqttReconnectTime: 3000,

    // What is kept in the flow's context survives a restart: the counters at midnight. Written every 30 s.
    contextStorage: { default: { module: 'localfilesystem' } },

    // Anyone who may reach the editor may run programs on this machine. To ask for a password, see "Securing Node-RED"
    // in its documentation: adminAuth for the editor, httpNodeAuth for the page.
};
