-- Asks the decision server about a request. Sets txn.countersign_allowed only if it says yes.
local URL = "http://127.0.0.1:9191/"

-- What belongs to the connection between client and HAProxy, or frames a body.
local OWN = {
    ["connection"] = true,
    ["content-length"] = true,
    ["expect"] = true,
    ["host"] = true,
    ["keep-alive"] = true,
    ["transfer-encoding"] = true,
}

core.register_action("countersign", { "http-req" }, function(txn)
    local headers = {}
    for name, lines in pairs(txn.http:req_get_headers()) do
        if not OWN[name] then
            headers[name] = {}
            -- The first line has the number 0.
            for number = 0, #lines do
                headers[name][number + 1] = lines[number]
            end
        end
    end
    local answer = core.httpclient():get({ url = URL, headers = headers, timeout = 2000 })
    if answer ~= nil and answer.status == 200 and answer.headers["countersign-caller"] then
        txn:set_var("txn.countersign_caller", answer.headers["countersign-caller"][0])
        local proof = answer.headers["countersign-proof"]
        txn:set_var("txn.countersign_proof", proof and proof[0] or "")
        txn:set_var("txn.countersign_allowed", true)
        return
    end
    local status = 503
    if answer ~= nil and (answer.status == 401 or answer.status == 403) then
        status = answer.status
    end
    local reply = txn:reply({ status = status })
    reply:add_header("content-type", "application/json")
    local challenges = status == 401 and answer.headers["www-authenticate"] or {}
    for number = 0, #challenges do
        if challenges[number] then
            reply:add_header("www-authenticate", challenges[number])
        end
    end
    reply:set_body(status ~= 503 and answer.body or '{"error":"unavailable"}')
    txn:done(reply)
end, 0)
